/* The dialect as the service knows it: what it serves, who is told, what it does now and then. */
#include "dialect/baserow/baserow.h"

#include "dialect/baserow/channel.h"
#include "dialect/baserow/rest.h"

static bool serves(const struct http_request *http)
{
    return str_starts_with(http->path, STR("/api/")) || channel_serves(http->path);
}

static void http(struct session *s, struct http_request *http_request)
{
    if (channel_serves(http_request->path))
        channel_upgrade_submit(s, http_request);
    else
        rest_submit(s, http_request);
}

static const struct handler *const chores[] = {&departure_chore, &trash_chore, &history_chore,
                                               NULL};

const struct dialect baserow_dialect = {
    .name = "baserow",
    .serves = serves,
    .http = http,
    .message = channel_message,
    .committed = channel_committed,
    .closed = channel_closed,
    .chores = chores,
};
