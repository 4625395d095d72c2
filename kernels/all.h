// All kernels for one instruction set; an isa_*.cpp file sets the width, the registers and the name, and includes this.
#include "vector.h"

#include "gemm.cpp"

#include "attention.cpp"
#include "conv.cpp"
#include "norm.cpp"
#include "depthwise.cpp"
#include "optimizer.cpp"
#include "elementwise.cpp"
#include "pool.cpp"
#include "random.cpp"
#include "recurrent.cpp"
#include "loss.cpp"

#define DK_TABLE(name)                                                                                          \
    {name, gemm, attention, attention_grad, conv, conv_kernel_grad, depthwise, depthwise_grad, max_pool,        \
     max_pool_grad, avg_pool, avg_pool_grad, batch_norm, batch_norm_grad, affine, layer_norm, layer_norm_grad,  \
     relu_grad, column_sum, adam, sgd, momentum, rmsprop, adagrad, lstm, lstm_grad, gru, gru_grad, random_words, dropout,   \
     add_rows_at, softmax_cross_entropy, cross_entropy_grad, relu, relu_pass, add, sigmoid,      \
     tanh_all, sigmoid_pass, tanh_pass, squared_error, scale_rows}
