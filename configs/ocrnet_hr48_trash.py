_base_ = [
    './_base_/models/ocrnet_hr48.py', './_base_/datasets/trash_coco.py',
    './_base_/schedules/sgd_poly_40k.py', './_base_/default_runtime.py'
]
