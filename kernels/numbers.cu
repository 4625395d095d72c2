// Numbers that the host works out at every step, put where a captured step reads them.
//
//     set_words: out[i] = the i-th of up to 8 words of 64 bits, which come as arguments: they are copied when the launch
//                is queued, so that the host may go on to the next step at once
//
// Launch: one thread.

#include "device.cuh"

typedef unsigned long long word;

extern "C" __global__ void set_words(word *out, long long n, word a, word b, word c, word d, word e, word f, word g,
                                     word h) {
    LAUNCH_SHAPE(gridDim.x == 1 && blockDim.x == 1);
    if (n > 0) out[0] = a;
    if (n > 1) out[1] = b;
    if (n > 2) out[2] = c;
    if (n > 3) out[3] = d;
    if (n > 4) out[4] = e;
    if (n > 5) out[5] = f;
    if (n > 6) out[6] = g;
    if (n > 7) out[7] = h;
}
