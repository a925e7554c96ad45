# Stop when the validated mIoU has not grown by 0.1 points in five validations
custom_hooks = [
    dict(type='ResumableEarlyStoppingHook', monitor='mIoU', patience=5, min_delta=0.1)]
