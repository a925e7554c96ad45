# Keep photos and labels in memory, for an experiment without augmentation; no loading workers
train_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(cache_samples=True))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(cache_samples=True))
