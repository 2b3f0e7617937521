/* The other side of bench/media.py, and the limit that it compares with.
 *
 * media limit CALLS PHASES SECONDS PLAN  what the media engine does, as a plain loop; prints the
 *                                        CPU time in µs
 * media meter CALLS SECONDS CORE PLAN    a packet to each port every 20 ms, and when those of the
 *                                        side tested on CORE come: which share, which shares later
 *                                        than 5 ms by their stream and within the tick, the median
 *                                        and the 99th percentile of both (ms)
 *
 * Both count SECONDS after three of warming up, in which all streams begin at once; the limit goes
 * on for another one.
 * A thread on CORE, above all else there, wakes every ms. Where it is 4 ms late or more, which is
 * longer than any system call of ours, nobody of ours had the core: the host of a virtual machine
 * did. What was due then, or in the 100 ms in which the delay is made up for, says nothing about the
 * tested side and is not counted. Without real-time priority, and where CORE is -1, there is no such
 * thread, and all is counted.
 * PLAN is a file that the tested side writes: the time (CLOCK_REALTIME, ns) of a tick, and on the
 * following lines for each call how far into the 20 ms its packets are due (ns).
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 20000, PEERS = 42000, FRAME = 160, HEADER = 12, PACKET = 172, SLOTS = 16, DELAY = 3 };
enum { SOUND = 8000, GROUPS = 32, PASS = 8, STALLS = 10000 };

static const int64_t TICK = 20000000, SECOND = 1000000000, WARM_UP = 3000000000, TOO_LATE = 5000000;
static const int64_t WATCHED = 1000000, STALL = 4000000, MADE_UP = 100000000;

static int64_t now_of(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void sleep_until(int64_t due) {
    struct timespec t = {due / 1000000000LL, due % 1000000000LL};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

static int64_t cpu_time(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
}

static int open_udp(int local, int remote) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    address.sin_port = htons(local);
    if (udp < 0 || bind(udp, (struct sockaddr *)&address, sizeof address)) {
        perror("bind");
        exit(1);
    }
    address.sin_port = htons(remote);
    if (connect(udp, (struct sockaddr *)&address, sizeof address)) {
        perror("connect");
        exit(1);
    }
    return udp;
}

static void put32(uint8_t *to, uint32_t value) {
    value = htonl(value);
    memcpy(to, &value, 4);
}

static uint32_t get32(const uint8_t *from) {
    uint32_t value;
    memcpy(&value, from, 4);
    return ntohl(value);
}

/* G.711, as the engine has it: tables of 256 and of 65,536 entries. */

static int16_t decoded[256];
static uint8_t encoded[65536];

static void make_tables(void) {
    for (int code = 0; code < 256; code++) {
        int inverted = ~code & 0xFF;
        int size = (((inverted & 0x0F) << 3) + 0x84) << ((inverted & 0x70) >> 4);
        decoded[code] = (inverted & 0x80) ? 0x84 - size : size - 0x84;
    }
    for (int value = -32768; value < 32768; value++) {
        int sign = value < 0 ? 0x80 : 0, size = abs(value), exponent = 7;
        size = (size > 32635 ? 32635 : size) + 0x84;
        for (int mask = 0x4000; exponent > 0 && !(size & mask); mask >>= 1) exponent--;
        encoded[(uint16_t)value] = ~(sign | exponent << 4 | (size >> (exponent + 3) & 0x0F));
    }
}

/* The limit. */

struct call {
    int udp;
    uint32_t timestamp, ssrc, peer, next, cursor;
    uint16_t sequence, maximum;
    int heard, head, at;
    int64_t packets, octets;
    uint32_t transit;
    double jitter;
    uint8_t packet[PACKET];
    int16_t ring[SLOTS][FRAME], frame[FRAME];
};

static void take(struct call *call, const uint8_t *packet, int length, int64_t now) {
    uint32_t word = get32(packet), timestamp = get32(packet + 4);
    if (length != PACKET || (word & 0xFF7F0000) != 0x80000000) return;
    if (!call->heard) {
        call->heard = 1;
        call->peer = get32(packet + 8);
        call->maximum = word - 1;
        call->cursor = timestamp - DELAY * FRAME;
    }
    uint32_t offset = timestamp - call->cursor;
    if (get32(packet + 8) != call->peer || (uint16_t)(word - call->maximum) >= 3000) return;
    if (offset % FRAME || offset > (SLOTS - 1) * FRAME) return;
    call->maximum = word;
    call->packets++;
    call->octets += FRAME;
    uint32_t transit = now / 125000 - timestamp;
    int32_t change = transit - call->transit;
    call->transit = transit;
    call->jitter += (abs(change) - call->jitter) / 16;
    int16_t *slot = call->ring[(call->head + offset / FRAME) % SLOTS];
    for (int i = 0; i < FRAME; i++) slot[i] = decoded[packet[HEADER + i]];
}

static void serve(struct call *calls, int count, const int16_t *sound, int again) {
    uint8_t packet[2048];
    int64_t now = now_of(CLOCK_MONOTONIC);
    for (int i = 0; i < count; i++) (void)!send(calls[i].udp, calls[i].packet, PACKET, 0);
    for (int pass = 0; pass <= again; pass++)
        for (int i = 0; i < count; i++) {
            int length = recv(calls[i].udp, packet, sizeof packet, 0);
            if (length > 0) take(&calls[i], packet, length, now);
        }
    for (int i = 0; i < count; i++) {
        struct call *call = &calls[i];
        memcpy(call->frame, call->ring[call->head], sizeof call->frame);
        memset(call->ring[call->head], 0, sizeof call->frame);
        call->head = (call->head + 1) % SLOTS;
        call->cursor += FRAME;
        for (int k = 0; k < FRAME; k++)
            call->packet[HEADER + k] = encoded[(uint16_t)sound[call->at + k]];
        call->at = (call->at + FRAME) % SOUND;
        call->timestamp += FRAME;
        put32(call->packet, 0x80000000u | ++call->sequence);
        put32(call->packet + 4, call->timestamp);
    }
}

static int limit(int count, int phases, double seconds, const char *plan) {
    static int16_t sound[SOUND];
    struct call *calls = calloc(count, sizeof *calls);
    make_tables();
    for (int i = 0; i < SOUND; i++) sound[i] = 8000 * sin(2 * M_PI * 440 * i / 8000);
    for (int i = 0; i < count; i++) {
        calls[i].udp = open_udp(FIRST + 2 * i, PEERS + 2 * i);
        memset(calls[i].packet, 0xFF, PACKET);
        put32(calls[i].packet, 0x80000000u);
        put32(calls[i].packet + 4, 0);
        put32(calls[i].packet + 8, i + 1);
    }
    int64_t begin = now_of(CLOCK_MONOTONIC) + TICK, used = 0;
    FILE *file = fopen(plan, "w");
    fprintf(file, "%lld\n", (long long)(now_of(CLOCK_REALTIME) + TICK));
    for (int i = 0, phase = 0; i < count; i++) {
        while (i >= (int64_t)count * (phase + 1) / phases) phase++;
        fprintf(file, "%lld\n", (long long)(TICK * phase / phases));
    }
    fclose(file);
    int64_t first = WARM_UP / TICK, last = first + seconds * SECOND / TICK;
    for (int64_t tick = 0; tick < last + SECOND / TICK; tick++)
        for (int phase = 0; phase < phases; phase++) {
            int low = (int64_t)count * phase / phases, high = (int64_t)count * (phase + 1) / phases;
            if (!phase && (tick == first || tick == last)) used = cpu_time() - used;
            sleep_until(begin + TICK * tick + TICK * phase / phases);
            serve(calls + low, high - low, sound, tick % PASS == 0);
        }
    printf("%lld\n", (long long)used);
    return 0;
}

/* The meter. */

static int compare(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void listen_to(int udp, int reads, int64_t *when, int64_t length, int64_t *first) {
    static uint8_t packet[2048];
    union {
        char room[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control;
    while (reads--) {
        struct iovec vector = {packet, sizeof packet};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
                                 .msg_controllen = sizeof control};
        if (recvmsg(udp, &message, 0) < PACKET) return;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        struct timespec t;
        if (!header) continue;
        memcpy(&t, CMSG_DATA(header), sizeof t);
        /* Whoever was held up may leave packets out, and count what is sent. */
        int64_t number = get32(packet + 4);
        if (*first < 0) *first = number;
        number = (uint32_t)(number - *first) / FRAME;
        if (number < length) when[number] = t.tv_sec * 1000000000LL + t.tv_nsec;
    }
}

static double share_late(int64_t *late, int64_t count) {
    int64_t above = 0;
    for (int64_t i = 0; i < count; i++) above += late[i] > TOO_LATE;
    return count ? (double)above / count : 1;
}

/* When the machine stood still. */

static struct stall { int64_t begin, end; } stalls[STALLS];
static volatile int stalled;

static void *watch_core(void *core) {
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(*(int *)core, &own);
    struct sched_param above = {.sched_priority = 60};
    if (pthread_setaffinity_np(pthread_self(), sizeof own, &own)) return NULL;
    if (pthread_setschedparam(pthread_self(), SCHED_RR, &above)) return NULL;
    for (int64_t due = now_of(CLOCK_MONOTONIC);; due += WATCHED) {
        sleep_until(due);
        int64_t late = now_of(CLOCK_MONOTONIC) - due, end = now_of(CLOCK_REALTIME);
        if (late < STALL || stalled == STALLS) continue;
        stalls[stalled++] = (struct stall){end - late, end};
        due += late;
    }
}

static int stood_still(int64_t due) {
    for (int i = 0; i < stalled; i++)
        if (due > stalls[i].begin - TOO_LATE && due < stalls[i].end + MADE_UP) return 1;
    return 0;
}

static int meter(int count, double seconds, int core, const char *plan) {
    int64_t ticks = (seconds * SECOND + WARM_UP) / TICK, length = ticks + 100, on = 1;
    pthread_t watch;
    if (core >= 0) pthread_create(&watch, NULL, watch_core, &core);
    int *udp = calloc(count, sizeof *udp);
    int64_t *when = calloc(count * length, sizeof *when), *first = calloc(count, sizeof *first);
    for (int i = 0; i < count; i++) {
        udp[i] = open_udp(PEERS + 2 * i, FIRST + 2 * i);
        /* Reports of the tested side are not read, but are no errors either. */
        open_udp(PEERS + 2 * i + 1, FIRST + 2 * i + 1);
        setsockopt(udp[i], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(int));
        first[i] = -1;
    }
    uint8_t packet[PACKET];
    memset(packet, 0x7F, sizeof packet);
    int64_t begin = now_of(CLOCK_MONOTONIC) + TICK;
    int64_t real = now_of(CLOCK_REALTIME) + TICK;
    for (int64_t tick = 0; tick < ticks; tick++)
        for (int group = 0; group < GROUPS; group++) {
            sleep_until(begin + TICK * tick + TICK * group / GROUPS);
            for (int i = group; i < count; i += GROUPS) {
                put32(packet, 0x80000000u | (tick & 0xFFFF));
                put32(packet + 4, tick * FRAME);
                put32(packet + 8, i + 1);
                (void)!send(udp[i], packet, sizeof packet, 0);
                listen_to(udp[i], tick % PASS ? 1 : 100, when + i * length, length, first + i);
            }
        }
    for (int i = 0; i < count; i++) listen_to(udp[i], 100, when + i * length, length, first + i);

    FILE *file = fopen(plan, "r");
    long long base, offset;
    if (!file || fscanf(file, "%lld", &base) != 1) return 1;
    int64_t *by_stream = calloc(count * ticks, sizeof *by_stream);
    int64_t *in_tick = calloc(count * ticks, sizeof *in_tick), found = 0, expected = 0;
    int64_t from = real + WARM_UP, until = real + TICK * (ticks - 1);
    for (int i = 0; i < count; i++) {
        int64_t earliest = INT64_MAX;
        if (fscanf(file, "%lld", &offset) != 1) return 1;
        for (int64_t k = 0; k < length; k++) {
            int64_t at = when[i * length + k];
            if (at >= from && at < until && at - k * TICK < earliest) earliest = at - k * TICK;
        }
        /* Two clocks were read one after the other: a packet may seem a little early. */
        int64_t place = (earliest - base - offset + TICK / 10) % TICK;
        place = (place + TICK) % TICK - TICK / 10;
        for (int64_t k = 0; k < length && earliest < INT64_MAX; k++) {
            int64_t at = when[i * length + k], due = earliest + k * TICK;
            if (due < from || due >= until || expected == count * ticks) continue;
            if (stood_still(due)) continue;
            expected++;
            if (!at) continue;
            by_stream[found] = at - due;
            in_tick[found++] = at - due + place;
        }
    }
    double late = share_late(by_stream, found), late_in_tick = share_late(in_tick, found);
    qsort(by_stream, found, sizeof *by_stream, compare);
    qsort(in_tick, found, sizeof *in_tick, compare);
    int64_t median = found / 2, high = found * 99 / 100;
    double arrived = expected ? (double)found / expected : 0;
    printf("%.6f %.6f %.6f %.4f %.4f %.4f %.4f\n", arrived, late, late_in_tick,
           found ? by_stream[median] / 1e6 : 0, found ? by_stream[high] / 1e6 : 0,
           found ? in_tick[median] / 1e6 : 0, found ? in_tick[high] / 1e6 : 0);
    return 0;
}

int main(int count, char **words) {
    if (count == 6 && !strcmp(words[1], "limit"))
        return limit(atoi(words[2]), atoi(words[3]), atof(words[4]), words[5]);
    if (count == 6 && !strcmp(words[1], "meter"))
        return meter(atoi(words[2]), atof(words[3]), atoi(words[4]), words[5]);
    fprintf(stderr, "media limit CALLS PHASES SECONDS PLAN | media meter CALLS SECONDS CORE PLAN\n");
    return 2;
}
