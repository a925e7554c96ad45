# torch.compile of the backbone
custom_hooks = [dict(type='CompileBackboneHook')]
