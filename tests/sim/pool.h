/* Memory for JSON nodes, which are nearly all that a simulation allocates: freed ones are kept by
 * size and used again. Not with ASan, which is to see each of them. */
#ifndef SIM_POOL_H
#define SIM_POOL_H

/* Before the first node is made. */
void pool_install(void);

#endif
