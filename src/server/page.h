#ifndef SERVER_PAGE_H
#define SERVER_PAGE_H

/* The page that GET / shows: web/index.html, put into the program by the build. */

#include "base/str.h"

struct str page_html(void);

#endif
