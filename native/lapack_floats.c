/* Functions of BLAS that give a float, as what f2c makes of Fortran calls them: there they give a
 * double, which is another type of function in WebAssembly. */
float sdot_(int *, float *, int *, float *, int *);
float snrm2_(int *, float *, int *);
float sasum_(int *, float *, int *);
float scnrm2_(int *, float *, int *);
float scasum_(int *, float *, int *);

double lite_sdot_(int *n, float *x, int *step_x, float *y, int *step_y)
{
    return sdot_(n, x, step_x, y, step_y);
}

double lite_snrm2_(int *n, float *x, int *step)
{
    return snrm2_(n, x, step);
}

double lite_sasum_(int *n, float *x, int *step)
{
    return sasum_(n, x, step);
}

double lite_scnrm2_(int *n, float *x, int *step)
{
    return scnrm2_(n, x, step);
}

double lite_scasum_(int *n, float *x, int *step)
{
    return scasum_(n, x, step);
}
