"""Exact incremental passes: only what an occluder changed is computed again.

A patch over the picture changes one window of each feature map. `Occluded` is a tensor that knows
its window and the unchanged maps around it; the model's own forward runs on it, and every
convolution, pooling or elementwise function computes the window only. The idea is that of
Nakandala, Kumar & Papakonstantinou, "Incremental and Approximate Inference for Faster
Occlusion-based Deep CNN Explanations" (SIGMOD 2019).
"""
