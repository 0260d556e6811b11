#include "base/fault.h"
#include "server/commands.h"
#include "server/instance.h"

static void report(void *context, struct str finding)
{
    (void)context;
    fprintf(stderr, "  %.*s\n", STR_ARG(finding));
}

int command_check(const struct settings *settings, struct arguments *arguments)
{
    struct instance instance;
    struct model_check check = {0};
    if (!arguments_done(arguments))
        return 2;
    if (instance_open(settings, INSTANCE_READ, &instance) != 0)
        return 1;
    int rc = model_check(instance.model, instance.arena, report, NULL, &check);
    if (rc != 0)
        fprintf(stderr, "rowcast: the check could not be finished: %s\n", fault_text());
    else if (check.findings > 0)
        printf("%lld finding%s\n", (long long)check.findings, check.findings == 1 ? "" : "s");
    else if (check.entries == 0)
        puts("ok: the database is sound, the journal is empty");
    else
        printf(
            "ok: the database is sound, the journal is dense: %lld entries, %lld to %lld, in %lld "
            "commits, epoch %.*s\n",
            (long long)check.entries, (long long)check.first, (long long)check.last,
            (long long)check.commits, STR_ARG(check.epoch));
    instance_close(&instance);
    return rc == 0 && check.findings == 0 ? 0 : 1;
}
