# Train the head alone; with `--augmentation none`, the backbone sees each photo once
model = dict(frozen_features=True)
optim_wrapper = dict(constructor='LearningParametersConstructor')
