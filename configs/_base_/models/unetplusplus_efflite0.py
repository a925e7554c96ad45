# UNet++'s decoder (Zhou et al., DLMIA 2018) on EfficientNet-Lite0
_base_ = './segformer_efflite0.py'
model = dict(
    decode_head=dict(
        _delete_=True, **_base_.head, type='UNetPlusPlusHead', in_channels=[24, 40, 112, 320],
        in_index=[0, 1, 2, 3], decoder_channels=(128, 64, 48, 32)))
