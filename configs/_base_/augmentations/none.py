# Photos as they are
none_augmentation = []
