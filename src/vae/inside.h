/* The insides of lam_net, shared by the dnnl_*.c files.
 *
 * Activations of convolutions lie in blocks, [row][channels / lanes][pixels][lanes], channels rounded up to whole blocks with zeros
 * (weights and bias of such channels are 0); f and g of a gate come from one convolution of twice the channels, f's blocks
 * before g's: a "pair". An image that needs no gradient stays as it is. Linear maps see plain rows, [row][channels][pixels]. */
#ifndef LAM_VAE_INSIDE_H
#define LAM_VAE_INSIDE_H
#include "base/batch.h"
#include "kernels/act_array.h"
#include "vae/net.h"
#include <oneapi/dnnl/dnnl.h>

enum {
    LAM_CONV_SIZES = 5, /* weight gradients of 1, 2, 4, 8, 16 rows a call */
    LAM_CONV_MOST = 1 << (LAM_CONV_SIZES - 1),
    LAM_NET_CHUNKS = 8, /* that a linear map's columns are shared out in */
};

typedef struct lam_conv_call {
    dnnl_primitive_t primitive; /* NULL: there is none */
    dnnl_memory_desc_t scratch;
} lam_conv_call;

/* One layer as oneDNN's convolution from a large to a small image; a transposed layer goes backwards through it. */
typedef struct lam_conv {
    size_t in_wide, out_wide, pair_wide;         /* channels with the zeros */
    size_t pair_floats;                          /* a row */
    size_t most;                                 /* rows of the largest weight gradient */
    dnnl_memory_desc_t in_md, pair_md, bias_md;  /* one row; in_md and pair_md for more rows below */
    dnnl_memory_desc_t many_in_md[LAM_CONV_SIZES], many_pair_md[LAM_CONV_SIZES];
    dnnl_memory_desc_t plain_md, forward_md, data_md, sum_md; /* weights: as parameters are, and packed for each use */
    lam_conv_call forward, data, weight[LAM_CONV_SIZES], pack_forward, pack_data, unpack;
    int plain_rows;                              /* 1: weight gradients take rows out of their blocks (make_weight_gradients) */
    int reference;                               /* 1: oneDNN has nothing but its reference loops for them even so */
    size_t sum_floats, sum_at;                   /* packed weight gradient and then [pair_wide] of the bias, in a group's sums */
    float *plain, *packed_forward, *packed_data, *bias; /* plain and bias stay 0 past the channels */
    float *plain_sum;
} lam_conv;

typedef struct lam_stage {
    const lam_net_layer *layer;
    int dense;          /* a linear map of the whole row: conv is not used */
    lam_conv conv;
    size_t in_floats, out_floats; /* of a row, in this stage's form */
    float *in, *out;    /* [rows][...]; `in` is the out of the stage before where that has the same form */
    float *sigma;       /* [rows][out_floats] sigmoid(g) of a gated layer */
} lam_stage;

typedef struct lam_net_thread {
    dnnl_stream_t stream;
    float *a, *b;    /* [group_rows][...] cotangents on their way down */
    float *pair;     /* [LAM_CONV_MOST][...] */
    float *weight;   /* one weight gradient */
    float *scratch;  /* oneDNN's */
    float *plain;    /* rows out of their blocks, for plain_rows */
    float *part;     /* a share of a linear map's gradient, and the tree's room for more */
} lam_net_thread;

struct lam_net {
    lam_net_shape shape;
    lam_pool *pool;
    const lam_comm *comm;
    const lam_act_f32 *act;
    dnnl_engine_t engine;
    size_t lanes;       /* of a block of channels: 16 or 8 */
    int input_gradient;
    size_t capacity, group_rows;
    lam_batch batch;    /* of the last forward call */
    lam_stage stage[LAM_NET_MAX_LAYERS];
    lam_net_thread *thread; /* [threads] */
    float *pair;        /* [rows][...] f and g of linear maps, or their cotangents */
    float *between[2];  /* [rows][...] plain cotangents between stages */
    float *sums;        /* [groups][sums_floats] packed gradients */
    size_t sums_floats;
    float *memory;      /* all of the above */
    size_t floats;
    dnnl_status_t failed[LAM_NET_GROUPS]; /* of the work of each group */
};

/* LAM_OK, or the failure that a status of oneDNN means, while doing `what`. */
lam_status lam_dnnl_check(dnnl_status_t status, const char *what);
/* Keeps oneDNN's calls of this thread to this thread: OpenMP would give them a team of its own, by the environment. Threads have
 * that number each for itself; leave gives back what enter found. */
int lam_one_thread_enter(void);
void lam_one_thread_leave(int before);

/* Sizes and primitives of the stage's convolution; has_data: the cotangents of its input are wanted. */
lam_status lam_conv_plan(lam_net *net, lam_stage *stage, int is_image, int has_data);
void lam_conv_unplan(lam_conv *conv);
size_t lam_conv_scratch(const lam_conv *conv); /* bytes */
/* Parameters to packed weights; packed sums to gradients. */
dnnl_status_t lam_conv_pack(lam_net *net, lam_stage *stage, const float *params, size_t thread);
dnnl_status_t lam_conv_unpack(lam_net *net, lam_stage *stage, const float *sum, float *g_params, size_t thread);

/* Stages first .. end - 1, all convolutions, for this rank's rows of the net's batch. x: plain rows that stage `first` takes. y: where the last one's rows go; element
 * (c, p) of a row at c stride_c + p stride_p. */
typedef struct lam_conv_run {
    size_t first, end;
    const float *x, *g_y;
    float *y, *g_x; /* g_x NULL: not wanted */
    size_t stride_c, stride_p;
} lam_conv_run;
lam_status lam_conv_run_forward(lam_net *net, const lam_conv_run *run);
/* Weight gradients go to net->sums, a group's each. */
lam_status lam_conv_run_backward(lam_net *net, const lam_conv_run *run);

/* A linear stage on its `in`, for this rank's rows of the net's batch; and its reverse, with cotangents g [rows, out_count] channel by channel,
 * part and g_x as in lam_net_backward. */
lam_status lam_dense_forward(lam_net *net, lam_stage *stage, const float *params);
lam_status lam_dense_backward(lam_net *net, lam_stage *stage, const float *params, const float *g, float *const *part, float *g_x);
/* Floats of a thread's lam_net_thread.part that the stage wants. */
size_t lam_dense_room(const lam_stage *stage);

#endif
