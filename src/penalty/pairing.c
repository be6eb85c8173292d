/* Pairs rows with noise: the assignment with the least sum of squared distances. */
#include "penalty/pairing.h"
#include <math.h>

enum { NONE = LAM_PAIRED };

/* A shortest path from row `start` to a free column, by reduced costs; before[j] is the column ahead of j on the way to it. Prices
 * move so that all reduced costs stay at or above zero. Returns that column. */
static size_t shortest_path(size_t n, const double *cost, size_t start, const size_t *row_of, double *price_row, double *price,
    size_t *before)
{
    double distance[LAM_PAIRED];
    unsigned char done[LAM_PAIRED] = { 0 };
    size_t row = start, column = NONE;
    double reached = 0;
    for (size_t j = 0; j < n; j++)
        distance[j] = INFINITY;
    for (;;) {
        size_t nearest = NONE;
        for (size_t j = 0; j < n; j++) {
            if (done[j])
                continue;
            double d = reached + cost[row * n + j] - price_row[row] - price[j];
            if (d < distance[j]) {
                distance[j] = d;
                before[j] = column;
            }
            if (nearest == NONE || distance[j] < distance[nearest])
                nearest = j;
        }
        column = nearest;
        done[column] = 1;
        reached = distance[column];
        if (row_of[column] == NONE)
            break;
        row = row_of[column];
    }
    for (size_t j = 0; j < n; j++)
        if (done[j] && j != column) {
            price[j] -= reached - distance[j];
            price_row[row_of[j]] += reached - distance[j];
        }
    price_row[start] += reached;
    return column;
}

/* Prices with which no reduced cost is below zero, and pairs at zero as they come: every column's cheapest row, then every lonely
 * row's cheapest column, where these are not taken. */
static void begin(size_t n, const double *cost, double *price_row, double *price, size_t *row_of, unsigned char *paired)
{
    for (size_t j = 0; j < n; j++) {
        size_t row = 0;
        for (size_t i = 1; i < n; i++)
            row = cost[i * n + j] < cost[row * n + j] ? i : row;
        price[j] = cost[row * n + j];
        row_of[j] = paired[row] ? NONE : row;
        paired[row] = 1;
    }
    for (size_t i = 0; i < n; i++) {
        size_t column = 0;
        if (paired[i])
            continue;
        for (size_t j = 1; j < n; j++)
            column = cost[i * n + j] - price[j] < cost[i * n + column] - price[column] ? j : column;
        price_row[i] = cost[i * n + column] - price[column];
        if (row_of[column] == NONE) {
            row_of[column] = i;
            paired[i] = 1;
        }
    }
}

void lam_pairing(size_t n, const double *cost, size_t *to)
{
    double price_row[LAM_PAIRED] = { 0 }, price[LAM_PAIRED];
    size_t row_of[LAM_PAIRED], before[LAM_PAIRED];
    unsigned char paired[LAM_PAIRED] = { 0 };
    begin(n, cost, price_row, price, row_of, paired);
    for (size_t start = 0; start < n; start++) {
        if (paired[start])
            continue;
        size_t column = shortest_path(n, cost, start, row_of, price_row, price, before);
        for (; before[column] != NONE; column = before[column]) /* each column hands its row on to the next */
            row_of[column] = row_of[before[column]];
        row_of[column] = start;
    }
    for (size_t j = 0; j < n; j++)
        to[row_of[j]] = j;
}
