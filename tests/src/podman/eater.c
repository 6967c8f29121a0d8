/* Eats memory, as a pod that really does.
 *
 *   eater MIB [more=MIB] [port=N] [busy] [exit=CODE]
 *
 * Takes MIB of anonymous memory and touches each page of it, prints "ate MIB MiB", then waits.
 * SIGUSR1 takes `more` on top, SIGUSR2 gives that back, SIGTERM ends it at once. With `port` it
 * answers HTTP there once it has eaten; with `busy` it burns a core; with `exit` it ends by
 * itself once it has eaten. As process 1 of a container it gets only the signals it handles. */

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const size_t MIB = 1024 * 1024;
static volatile sig_atomic_t wants_more;
static volatile sig_atomic_t wants_less;

static void end(int signal) { (void)signal; _exit(0); }
static void more(int signal) { (void)signal; wants_more = 1; }
static void less(int signal) { (void)signal; wants_less = 1; }

static void fail(const char *what) {
    perror(what);
    _exit(1);
}

static void *eat(size_t mib) {
    if (mib == 0) return NULL;
    size_t length = mib * MIB;
    char *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("eat");
    for (size_t at = 0; at < length; at += 4096) memory[at] = (char)(at >> 12 | 1);
    printf("ate %zu MiB\n", mib);
    fflush(stdout);
    return memory;
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16))
        fail("listen");
    return listener;
}

static void answer(int listener) {
    static const char text[] = "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nfull\n";
    char request[1024];
    int caller = accept(listener, NULL, NULL);
    if (caller < 0) return;
    (void)!read(caller, request, sizeof request);
    (void)!write(caller, text, sizeof text - 1);
    close(caller);
}

int main(int count, char **arguments) {
    size_t amount = count > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    size_t extra = 0;
    int port = 0, busy = 0, code = -1;
    for (int i = 2; i < count; i++) {
        if (!strncmp(arguments[i], "more=", 5)) extra = strtoul(arguments[i] + 5, NULL, 10);
        else if (!strncmp(arguments[i], "port=", 5)) port = atoi(arguments[i] + 5);
        else if (!strncmp(arguments[i], "exit=", 5)) code = atoi(arguments[i] + 5);
        else if (!strcmp(arguments[i], "busy")) busy = 1;
        else { fprintf(stderr, "eater: what is %s?\n", arguments[i]); return 2; }
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, end);
    signal(SIGINT, end);
    struct sigaction once = {.sa_handler = more};
    sigaction(SIGUSR1, &once, NULL);
    once.sa_handler = less;
    sigaction(SIGUSR2, &once, NULL);
    /* Blocked but in ppoll, so that none comes between the look and the wait. */
    sigset_t blocked, open;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, &open);

    eat(amount);
    if (code >= 0) return code;
    if (busy && fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {}
    }
    struct pollfd listener = {.fd = port ? listen_on(port) : -1, .events = POLLIN};
    void *held = NULL;
    for (;;) {
        int ready = ppoll(&listener, 1, NULL, &open);
        if (ready < 0 && errno != EINTR) fail("ppoll");
        if (ready > 0) answer(listener.fd);
        if (wants_more && !held) held = eat(extra);
        if (wants_less && held) {
            munmap(held, extra * MIB);
            held = NULL;
            puts("gave back");
            fflush(stdout);
        }
        wants_more = wants_less = 0;
    }
}
