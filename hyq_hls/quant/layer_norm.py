def layer_norm(*a): raise NotImplementedError
