#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/*
 * Functions that have no safe use here do not compile. Included before every file by the build.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof gmtime localtime      \
    ctime asctime strncpy strncat

#endif
