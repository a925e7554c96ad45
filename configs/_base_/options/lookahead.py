# Lookahead around AdamW: every five steps, back by half of them
optim_wrapper = dict(optimizer=dict(type='Lookahead', base='AdamW'))
