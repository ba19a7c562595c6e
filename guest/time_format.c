/*
 * wcsftime() as the GNU C library has it, which is what programs in Python are written for: libc
 * gives up the whole text at a conversion that it does not know, such as %P, %l, %^B or a % at the
 * end. There is one locale, "C", and one time zone, UTC.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>
#include <wchar.h>

#include "replaced.h"

struct output {
    wchar_t *text;
    size_t room;
    size_t size; /* more than room if it did not fit */
};

/* What stands between the % and the letter. */
struct conversion {
    wchar_t pad; /* '_', '-', '0', or 0 for what is usual */
    int width;
    bool upper;
    bool lower;
    bool change; /* the other case than the usual one */
    wchar_t modifier;
};

static const wchar_t *const day_names[] = {L"Sunday",   L"Monday", L"Tuesday", L"Wednesday",
                                           L"Thursday", L"Friday", L"Saturday"};
static const wchar_t *const month_names[] = {L"January",   L"February", L"March",    L"April",
                                             L"May",       L"June",     L"July",     L"August",
                                             L"September", L"October",  L"November", L"December"};

static void put(struct output *out, wchar_t letter)
{
    if (out->size < out->room) {
        out->text[out->size] = letter;
    }
    out->size++;
}

static void fill(struct output *out, wchar_t letter, int count)
{
    for (int i = 0; i < count && out->size <= out->room; i++) {
        put(out, letter);
    }
}

static wchar_t in_case(struct conversion how, wchar_t letter)
{
    if (how.lower && letter >= L'A' && letter <= L'Z') {
        return letter + (L'a' - L'A');
    }
    if (how.upper && !how.lower && letter >= L'a' && letter <= L'z') {
        return letter - (L'a' - L'A');
    }
    return letter;
}

static void put_text(struct output *out, struct conversion how, const wchar_t *text, size_t length)
{
    if (how.width > 0 && (size_t)how.width > length) {
        fill(out, how.pad == L'0' ? L'0' : L' ', how.width - (int)length);
    }
    for (size_t i = 0; i < length; i++) {
        put(out, in_case(how, text[i]));
    }
}

/* The first letters of a name; 0 for all. */
static void put_name(struct output *out, struct conversion how, const wchar_t *name, size_t letters)
{
    how.upper |= how.change;
    put_text(out, how, name, letters > 0 ? letters : wcslen(name));
}

static void put_digits(struct output *out, struct conversion how, int digits, long long number)
{
    enum { MOST = 24 };
    wchar_t text[MOST];
    int start = MOST;
    unsigned long long rest =
        number < 0 ? 0 - (unsigned long long)number : (unsigned long long)number;
    do {
        text[--start] = (wchar_t)(L'0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    int missing = digits - (MOST - start) - (number < 0);
    if (how.pad == L'-' || missing <= 0) {
        missing = 0;
    } else if (how.pad == L'_') {
        fill(out, L' ', missing);
        how.width = how.width > missing ? how.width - missing : 0;
    } else {
        how.width = 0;
    }
    if (how.width > MOST - start + (number < 0)) {
        fill(out, how.pad == L'0' ? L'0' : L' ', how.width - (MOST - start) - (number < 0));
    }
    if (number < 0) {
        put(out, L'-');
    }
    if (how.pad != L'_') {
        fill(out, L'0', missing);
    }
    for (; start < MOST; start++) {
        put(out, text[start]);
    }
}

/* A number of at least so many digits, or as many as the width says. */
static void put_number(struct output *out, struct conversion how, int digits, long long number)
{
    put_digits(out, how, digits > how.width ? digits : how.width, number);
}

/* The same, filled with spaces. */
static void put_spaced(struct output *out, struct conversion how, int number)
{
    if (how.pad != L'0' && how.pad != L'-') {
        how.pad = L'_';
    }
    put_number(out, how, 2, number);
}

static int floor_divide(int number, int by)
{
    return number / by - (number % by < 0);
}

static int of_century(int year)
{
    return (year % 100 + 100) % 100;
}

static int weekday_of_end(int year)
{
    int days = year + floor_divide(year, 4) - floor_divide(year, 100) + floor_divide(year, 400);
    return (days % 7 + 7) % 7;
}

static int iso_weeks(int year)
{
    return weekday_of_end(year) == 4 || weekday_of_end(year - 1) == 3 ? 53 : 52;
}

/* The week after ISO 8601; *out_year is the year that it belongs to. */
static int iso_week(const struct tm *time, int *out_year)
{
    int year = time->tm_year + 1900;
    int week = (time->tm_yday - (time->tm_wday + 6) % 7 + 10) / 7;
    if (week < 1) {
        year--;
        week = iso_weeks(year);
    } else if (week > iso_weeks(year)) {
        year++;
        week = 1;
    }
    *out_year = year;
    return week;
}

static void put_zone_offset(struct output *out, struct conversion how, const struct tm *time)
{
    if (time->tm_isdst < 0) {
        return;
    }
    long minutes = time->tm_gmtoff / 60;
    put_text(out, how, minutes < 0 ? L"-" : L"+", 1);
    minutes = minutes < 0 ? -minutes : minutes;
    put_number(out, how, 4, minutes / 60 * 100 + minutes % 60);
}

static void put_zone(struct output *out, struct conversion how, const struct tm *time)
{
    const char *zone = time->tm_zone != NULL ? time->tm_zone : "";
    wchar_t text[16];
    size_t length = 0;
    if (zone[0] == 0 && time->tm_isdst >= 0) {
        zone = "UTC";
    }
    while (length < sizeof text / sizeof text[0] && zone[length] != 0) {
        text[length] = (unsigned char)zone[length];
        length++;
    }
    put_text(out, how, text, length);
}

static void put_formatted(struct output *out, const wchar_t *format, const struct tm *time);

static void put_composed(struct output *out, struct conversion how, const wchar_t *format,
                         const struct tm *time)
{
    wchar_t text[64];
    struct output part = {text, sizeof text / sizeof text[0], 0};
    put_formatted(&part, format, time);
    put_text(out, how, text, part.size);
}

/* Conversions that give a number; false if the letter is none of them. */
static bool put_field(struct output *out, struct conversion how, wchar_t letter,
                      const struct tm *time)
{
    struct tm copy = *time;
    int hour = time->tm_hour % 12 == 0 ? 12 : time->tm_hour % 12;
    int year = time->tm_year + 1900;
    int week_year;
    int week = iso_week(time, &week_year);
    switch (letter) {
    case L'C':
        put_number(out, how, 1, floor_divide(year, 100));
        break;
    case L'd':
        put_number(out, how, 2, time->tm_mday);
        break;
    case L'e':
        put_spaced(out, how, time->tm_mday);
        break;
    case L'g':
        put_number(out, how, 2, of_century(week_year));
        break;
    case L'G':
        put_number(out, how, 1, week_year);
        break;
    case L'H':
        put_number(out, how, 2, time->tm_hour);
        break;
    case L'I':
        put_number(out, how, 2, hour);
        break;
    case L'j':
        put_number(out, how, 3, time->tm_yday + 1);
        break;
    case L'k':
        put_spaced(out, how, time->tm_hour);
        break;
    case L'l':
        put_spaced(out, how, hour);
        break;
    case L'm':
        put_number(out, how, 2, time->tm_mon + 1);
        break;
    case L'M':
        put_number(out, how, 2, time->tm_min);
        break;
    case L's':
        put_digits(out, how, 1, timegm(&copy));
        break;
    case L'S':
        put_number(out, how, 2, time->tm_sec);
        break;
    case L'u':
        put_number(out, how, 1, (time->tm_wday + 6) % 7 + 1);
        break;
    case L'U':
        put_number(out, how, 2, (time->tm_yday + 7 - time->tm_wday) / 7);
        break;
    case L'V':
        put_number(out, how, 2, week);
        break;
    case L'w':
        put_number(out, how, 1, time->tm_wday);
        break;
    case L'W':
        put_number(out, how, 2, (time->tm_yday + 7 - (time->tm_wday + 6) % 7) / 7);
        break;
    case L'y':
        put_number(out, how, 2, of_century(year));
        break;
    case L'Y':
        put_number(out, how, 1, year);
        break;
    default:
        return false;
    }
    return true;
}

/* All others; false if the letter is none of them. */
static bool put_words(struct output *out, struct conversion how, wchar_t letter,
                      const struct tm *time)
{
    switch (letter) {
    case L'%':
        put_text(out, how, L"%", 1);
        break;
    case L'a':
        put_name(out, how, day_names[time->tm_wday], 3);
        break;
    case L'A':
        put_name(out, how, day_names[time->tm_wday], 0);
        break;
    case L'b':
    case L'h':
        put_name(out, how, month_names[time->tm_mon], 3);
        break;
    case L'B':
        put_name(out, how, month_names[time->tm_mon], 0);
        break;
    case L'c':
        put_composed(out, how, L"%a %b %e %H:%M:%S %Y", time);
        break;
    case L'D':
    case L'x':
        put_composed(out, how, L"%m/%d/%y", time);
        break;
    case L'F':
        put_composed(out, how, L"%Y-%m-%d", time);
        break;
    case L'n':
        put_text(out, how, L"\n", 1);
        break;
    case L'P':
        how.lower = true;
        put_text(out, how, time->tm_hour > 11 ? L"PM" : L"AM", 2);
        break;
    case L'p':
        how.lower |= how.change;
        put_text(out, how, time->tm_hour > 11 ? L"PM" : L"AM", 2);
        break;
    case L'r':
        put_composed(out, how, L"%I:%M:%S %p", time);
        break;
    case L'R':
        put_composed(out, how, L"%H:%M", time);
        break;
    case L't':
        put_text(out, how, L"\t", 1);
        break;
    case L'T':
    case L'X':
        put_composed(out, how, L"%H:%M:%S", time);
        break;
    case L'z':
        put_zone_offset(out, how, time);
        break;
    case L'Z':
        put_zone(out, how, time);
        break;
    default:
        return false;
    }
    return true;
}

/* Whether a letter goes with E or O before it. */
static bool takes_modifier(wchar_t letter, wchar_t modifier)
{
    const wchar_t *letters =
        modifier == L'E' ? L"%cCnpPrRstTuxXyYzZ" : L"%bBCdegGhHIjklmMnpPrRsStTuUVwWyzZ";
    return modifier == 0 || wcschr(letters, letter) != NULL;
}

/* Reads what stands behind a %; gives where the letter is. */
static const wchar_t *read_conversion(const wchar_t *next, struct conversion *out_how)
{
    struct conversion how = {0};
    for (;; next++) {
        if (*next == L'_' || *next == L'-' || *next == L'0') {
            how.pad = *next;
        } else if (*next == L'^') {
            how.upper = true;
        } else if (*next == L'#') {
            how.change = true;
        } else {
            break;
        }
    }
    for (; *next >= L'0' && *next <= L'9'; next++) {
        int digit = *next - L'0';
        how.width = how.width > (INT_MAX - digit) / 10 ? INT_MAX : how.width * 10 + digit;
    }
    if (*next == L'E' || *next == L'O') {
        how.modifier = *next++;
    }
    *out_how = how;
    return next;
}

static void put_formatted(struct output *out, const wchar_t *format, const struct tm *time)
{
    for (const wchar_t *next = format; *next != 0 && out->size <= out->room; next++) {
        if (*next != L'%') {
            put(out, *next);
            continue;
        }
        struct conversion how;
        const wchar_t *start = next;
        next = read_conversion(next + 1, &how);
        if (*next != 0 && takes_modifier(*next, how.modifier) &&
            (put_field(out, how, *next, time) || put_words(out, how, *next, time))) {
            continue;
        }
        /* What is no conversion stands for itself. */
        next -= *next == 0;
        put_text(out, how, start, (size_t)(next + 1 - start));
    }
}

REPLACES size_t wcsftime(wchar_t *restrict text, size_t room, const wchar_t *restrict format,
                         const struct tm *restrict time)
{
    struct output out = {text, room, 0};
    put_formatted(&out, format, time);
    if (out.size >= room) {
        return 0;
    }
    text[out.size] = 0;
    return out.size;
}
