// CUDA's header of this name; the types are in cuda_types.h.
#pragma once
