# The dense CRF as its authors run it on photos of about 500 pixels
crf = dict(
    gaussian_sxy=3., gaussian_weight=3.,
    bilateral_sxy=80., bilateral_srgb=13., bilateral_weight=10., iterations=10)
