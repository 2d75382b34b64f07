/* Takes memory in many processes, each of which stays below its own bound. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void hoard(void) {
    for (int forks = 0; forks < 3; forks++)
        fork();
    for (int blocks = 0; blocks < 5; blocks++) {
        char *block = malloc(20 << 20);
        if (block)
            memset(block, 1, 20 << 20);
    }
    sleep(15);
    _exit(1);
}
