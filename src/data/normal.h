/* The normal distribution, of one variable. */
#ifndef LAM_DATA_NORMAL_H
#define LAM_DATA_NORMAL_H

double lam_normal_density(double z);
/* The z with the share p, above 0 and below 1, of the distribution below it. */
double lam_normal_quantile(double p);

#endif
