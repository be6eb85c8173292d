/* What an image net is made of: a table of layers, and what follows from it: sizes, parameters, where each lies in one flat array.
 *
 * A layer is a convolution, a transposed convolution or a linear map, gated or not:
 *     out = f                    f = W_h * x + b_h
 *     out = f sigmoid(g)         g = W_g * x + b_g        (van den Berg et al., Sylvester normalizing flows, UAI 2018)
 * The names, shapes and order of the parameters are those of their published modules' state_dict(). */
#ifndef LAM_VAE_SHAPE_H
#define LAM_VAE_SHAPE_H
#include "base/config.h"
#include <stdint.h>

enum {
    LAM_NET_MAX_LAYERS = 12,
    LAM_NET_MAX_TENSORS = 4 * LAM_NET_MAX_LAYERS, /* weight and bias of f and of g */
};

typedef enum lam_net_kind {
    LAM_NET_CONV,       /* weights [out, in, kernel, kernel] */
    LAM_NET_TRANSPOSED, /* weights [in, out, kernel, kernel] */
    LAM_NET_LINEAR,     /* weights [out, in]; the features are channels of one pixel */
} lam_net_kind;

/* A row of the table. Sizes are height, width. */
typedef struct lam_net_row {
    const char *name; /* of the module: "q_z_nn.0" */
    lam_net_kind kind;
    size_t in, out; /* channels */
    size_t kernel[2], stride, padding, output_padding;
    int gated;
} lam_net_row;

typedef struct lam_net_layer {
    lam_net_kind kind;
    size_t in, out, kernel[2], stride, padding, output_padding;
    int gated;
    size_t in_size[2], out_size[2];
    size_t in_count, out_count; /* channels x pixels */
    size_t fan_in;
    size_t weight[2], bias[2]; /* offsets of f's and g's; g's only where gated */
    size_t weights;            /* numbers in one weight tensor */
} lam_net_layer;

typedef struct lam_net_tensor {
    char name[48]; /* "q_z_nn.0.h.weight" */
    size_t dims, shape[4], offset, count;
    size_t fan_in; /* initial values are uniform within 1 / sqrt(fan_in) */
} lam_net_tensor;

typedef struct lam_net_shape {
    size_t layers, in_count, out_count;
    lam_net_layer layer[LAM_NET_MAX_LAYERS];
    size_t tensors;
    lam_net_tensor tensor[LAM_NET_MAX_TENSORS];
    size_t parameters;
} lam_net_shape;

/* From a table of n rows and the size of what the first layer takes. LAM_ERR_ARGUMENT for layers that do not fit each other. */
lam_status lam_net_shape_init(lam_net_shape *shape, const lam_net_row *rows, size_t n, size_t height, size_t width);

/* The nets of method.md 9. Encoder: an image [height, width] of one channel to 256 features. Decoder: z numbers to a logit a
 * pixel (levels 2) or to `levels` logits a pixel. Height and width are multiples of 4. */
enum { LAM_VAE_FEATURES = 256 };
lam_status lam_net_encoder(lam_net_shape *shape, size_t height, size_t width);
lam_status lam_net_decoder(lam_net_shape *shape, size_t z, size_t height, size_t width, size_t levels);
/* One linear map with a module's name: "q_z_mean" and the like. */
lam_status lam_net_linear(lam_net_shape *shape, const char *name, size_t in, size_t out);

/* Initial values, PyTorch's default for such layers: uniform within 1 / sqrt(fan_in), where fan_in counts the inputs of an output
 * (of a transposed convolution: the outputs of an input). Value i is a function of seed and first + i; give every net of a
 * model a range of its own. params [shape->parameters]. */
void lam_net_initial(const lam_net_shape *shape, uint64_t seed, uint64_t first, float *params);

#endif
