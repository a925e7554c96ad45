# SegFormer-B0 of Hugging Face's transformers
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='HFModel', architecture='SegformerForSemanticSegmentation',
        pretrained='nvidia/mit-b0', new=('decode_head', )),
    decode_head=dict(
        type='LogitsHead', align_corners=False,
        loss_decode=_base_.head.loss_decode))
