// The kernels with vectors of 4 floats, which every processor has.
#define DK_WIDTH 4
#define DK_VECTORS 2
#define DK_PIXELS 4
#include "all.h"

static const Kernels table = DK_TABLE("baseline");
const Kernels *kernels_baseline() { return &table; }
