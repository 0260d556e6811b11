#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

/* The pages of the program itself, put into it by the build. Each is one file that needs no other.
 */

#include "base/str.h"

struct str page_html(void); /* GET /: web/index.html */
struct str grid_html(void); /* GET /grid: web/grid.html */

#endif
