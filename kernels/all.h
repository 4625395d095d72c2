// All kernels for one instruction set; an isa_*.cpp file sets the width, the registers and the name, and includes this.
#include "vector.h"

#include "conv.cpp"
#include "norm.cpp"
#include "optimizer.cpp"
#include "pool.cpp"
#include "recurrent.cpp"
#include "loss.cpp"

#define DK_TABLE(name)                                                                                              \
    {name,      conv,      conv_kernel_grad, max_pool,  max_pool_grad,  batch_norm,           batch_norm_grad, relu_grad, \
     adam,      lstm_step, lstm_step_grad,   softmax_cross_entropy}
