/* A chain of blocks: where its parameters lie in one flat array. */
#ifndef LAM_FLOW_LAYOUT_H
#define LAM_FLOW_LAYOUT_H
#include "field/shape.h"
#include "optim/optimizer.h"

/* [block 0's field] ... [block K-1's field] [beta, for swish] [the context's net] [sqrt of the end time, one a block].
 * Trained are the first `trained` of them: all, or all but the end times. */
typedef struct lam_layout {
    lam_field_shape field;
    size_t blocks;
    size_t beta; /* offset; SIZE_MAX without swish */
    /* What the density is conditional on reaches the flow as biases of the row (method.md 14): a net, `context`, from `inputs` numbers to
     * the field's context_lines, its last layer one linear map a hidden layer, whose biases all blocks take; or, where they are not shared, to
     * those of one block after the other. */
    size_t inputs; /* 0: the flow has no context */
    int masked;    /* 1: which columns move may differ from row to row (method.md 15) */
    lam_field_shape context;
    int context_shared;
    size_t context_at; /* offset of its parameters */
    size_t time; /* offset of the K values s, T = s^2 */
    size_t parameters, trained;
} lam_layout;

lam_status lam_layout_init(lam_layout *layout, const lam_config *config, size_t dim);
/* The same of a density that is conditional on something, dim being that of the flow and inputs, above 0, the numbers that the context
 * is made of. */
lam_status lam_layout_conditional(lam_layout *layout, const lam_config *config, size_t dim, size_t inputs, int masked);
/* The same with fields that take parameters from the rows (field/shape.h), which are not among the layout's. */
lam_status lam_layout_amortised(lam_layout *layout, const lam_config *config, size_t dim, lam_amortised amortisation,
    size_t rank);

/* Tensor index of the whole chain under FFJORD's state_dict names: "chain.0.odefunc.diffeq.layers.0._layer.weight". Swish's
 * beta appears once per activation module, as there, all at one offset. Returns 0 past the end. */
typedef struct lam_layout_tensor {
    char name[96];
    size_t dims, shape[2], offset, count;
} lam_layout_tensor;
int lam_layout_tensor_at(const lam_layout *layout, size_t index, lam_layout_tensor *tensor);

/* The weight matrices among the trained parameters, for an optimiser: every tensor with two sides above 1, concat's column of t inside
 * its matrix. The caller frees map->matrix. */
lam_status lam_layout_map(const lam_layout *layout, lam_parameter_map *map);

/* Initial values: every weight and bias uniform within 1 / sqrt(inputs of its linear map), as the field's usual library does;
 * beta 1; end times from the configuration. values [parameters]. */
void lam_layout_initial(const lam_layout *layout, const lam_config *config, double *values);
/* The last layers of all fields become 0, so that the chain leaves every row where it is. values [parameters]. For layouts without row
 * parameters. */
void lam_layout_still(const lam_layout *layout, double *values);

#endif
