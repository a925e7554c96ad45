# The photos that tools/make_pseudo.py labeled; in a batch there are as many as labeled ones
pseudo_photos = dict(
    type='PseudoLabelledPhotos', data_root='data/recycle_trash/',
    ann_file='pseudo/annotations.json')
pseudo_pack = [dict(type='PackSegInputs', meta_keys=('img_path', 'img_shape', 'pseudo'))]
half_pseudo = dict(_delete_=True, type='MultiSourceSampler', source_ratio=[1, 1])
