# Lookahead around RAdam
optim_wrapper = dict(optimizer=dict(type='Lookahead', base='RectifiedAdam'))
