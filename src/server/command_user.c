/*
 * rowcast user: create, list, set-password, token. A secret that is made here is printed once.
 */
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/random.h"
#include "model/identity/identity.h"
#include "server/commands.h"
#include "server/instance.h"

enum { PASSWORD_MAX = 1024, MADE_PASSWORD_LENGTH = 20, MADE_TOKEN_LENGTH = 32 };

struct user_command {
    struct str email, password, token, role;
    bool made_password, made_token;
};

/* Reads a password without showing it; from a pipe as it comes. */
static struct str ask_password(struct arena *a)
{
    char line[PASSWORD_MAX];
    struct termios before, quiet;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        fputs("Password: ", stderr);
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    bool read = fgets(line, sizeof(line), stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (!read)
        return STR_NULL;
    line[strcspn(line, "\r\n")] = '\0';
    return arena_str(a, str_of(line));
}

static struct str make_secret(struct arena *a, size_t length)
{
    char text[MADE_TOKEN_LENGTH + 1];
    random_token(text, length);
    return arena_str(a, str_of(text));
}

static int create(struct tx *tx, void *context)
{
    struct user_command *c = context;
    struct new_user user = {
        .email = c->email, .password = c->password, .token = c->token, .role = c->role};
    struct str id;
    int rc = identity_user_create(tx, &user, &id);
    if (rc == 0)
        printf("user %.*s, id %.*s\n", STR_ARG(c->email), STR_ARG(id));
    return rc;
}

static int set_password(struct tx *tx, void *context)
{
    struct user_command *c = context;
    return identity_user_set_password(tx, c->email, c->password);
}

static int set_token(struct tx *tx, void *context)
{
    struct user_command *c = context;
    return identity_user_set_token(tx, c->email, c->token);
}

static int print_user(void *context, const struct user_line *user)
{
    (void)context;
    printf("%.*s  %-32.*s  %-10.*s  %-20.*s%s\n", STR_ARG(user->id), STR_ARG(user->email),
           STR_ARG(user->status), STR_ARG(user->role), user->token ? "  static token" : "");
    return 0;
}

static int list(struct tx *tx, void *context)
{
    (void)context;
    return identity_user_list(tx, print_user, NULL);
}

enum needs { NEEDS_NOTHING, NEEDS_PASSWORD, NEEDS_TOKEN, NEEDS_USER };

static const struct verb {
    const char *name;
    enum needs needs;
    int (*run)(struct tx *tx, void *context);
} verbs[] = {
    {"create", NEEDS_USER, create},
    {"list", NEEDS_NOTHING, list},
    {"set-password", NEEDS_PASSWORD, set_password},
    {"token", NEEDS_TOKEN, set_token},
};

static const struct verb *find_verb(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (str_equal(name, str_of(verbs[i].name)))
            return &verbs[i];
    return NULL;
}

/* Asks for or makes what was not given. False: there is no password. */
static bool complete(struct user_command *c, const struct verb *verb, bool generate,
                     struct arena *arena)
{
    c->made_token = verb->needs == NEEDS_TOKEN && !c->token.at;
    if (c->made_token)
        c->token = make_secret(arena, MADE_TOKEN_LENGTH);
    if (verb->needs != NEEDS_PASSWORD && verb->needs != NEEDS_USER)
        return true;
    c->made_password = !c->password.at && generate;
    if (c->made_password)
        c->password = make_secret(arena, MADE_PASSWORD_LENGTH);
    else if (!c->password.at)
        c->password = ask_password(arena);
    if (c->password.len == 0)
        fputs("rowcast: a password is required (--password, standard input, or --generate)\n",
              stderr);
    return c->password.len > 0;
}

static int run(const struct settings *settings, const struct verb *verb, struct user_command *c)
{
    struct instance instance;
    bool reads = verb->needs == NEEDS_NOTHING;
    if (instance_open(settings, reads ? INSTANCE_READ : INSTANCE_WRITE, &instance) != 0)
        return 1;
    int rc = (reads ? instance_read : instance_write)(&instance, verb->run, c);
    instance_close(&instance);
    if (rc == 0 && c->made_password)
        printf("password (shown this once): %.*s\n", STR_ARG(c->password));
    if (rc == 0 && c->made_token)
        printf("token (shown this once): %.*s\n", STR_ARG(c->token));
    return rc;
}

int command_user(const struct settings *settings, struct arguments *arguments)
{
    AUTO(arena_free) struct arena *arena = arena_new();
    struct user_command c = {
        .email = arguments_option(arguments, "email"),
        .password = arguments_option(arguments, "password"),
        .token = arguments_option(arguments, "token"),
        .role = arguments_option(arguments, "role"),
    };
    bool generate = arguments_flag(arguments, "generate");
    const struct verb *verb = find_verb(arguments_next(arguments));
    if (!arguments_done(arguments))
        return 2;
    if (!verb || (verb->needs != NEEDS_NOTHING && c.email.len == 0)) {
        fputs("usage: rowcast user create --email E [--role NAME] [--password P | --generate] "
              "[--token T]\n"
              "       rowcast user list\n"
              "       rowcast user set-password --email E [--password P | --generate]\n"
              "       rowcast user token --email E [--token T]\n",
              stderr);
        return 2;
    }
    return complete(&c, verb, generate, arena) ? run(settings, verb, &c) : 2;
}
