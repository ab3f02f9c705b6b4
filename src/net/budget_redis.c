#include "net/budget_redis.h"

#include <string.h>

#define REPLY_NUMBERS 11

/* The rules of budget_share.c, in its order. Numbers are doubles there: exact up to 2^53. */
static const char script_text[] =
    "local key = KEYS[1]\n"
    "local a = {}\n"
    "local names = "
    "{'now','quota','limit','window','burst','reserve','override','tells','elapsed',\n"
    "  "
    "'want','cost','in_hand','given_back','window_of','heard','h_limit','h_remaining','h_reset',\n"
    "  'h_ago','throttled','hold','leaves','late','ahead','holder_ms','quota_ms','throttle_ms',\n"
    "  'jitter_ms'}\n"
    "for i, name in ipairs(names) do a[name] = tonumber(ARGV[i]) end\n"
    "local owner = ARGV[#names + 1]\n"
    "local now = a.now\n"
    "if now == 0 then\n"
    "  local t = redis.call('TIME')\n"
    "  now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "end\n"
    "local s = {window=0, late=0, quota=0, limit=0, told=0, level=0, level_at=0, spent=0, "
    "remaining=0,\n"
    "  reset=0, heard=0, held=0, factor=0, factor_at=0, touched=0}\n"
    "local others, others_calls = 0, 0\n"
    "local flat = redis.call('HGETALL', key)\n"
    "for i = 1, #flat, 2 do\n"
    "  local name = flat[i]\n"
    "  if string.sub(name, 1, 2) == 'h:' then\n"
    "    local calls, till = string.match(flat[i + 1], '^(-?%d+):(-?%d+)$')\n"
    "    if tonumber(till) <= now then redis.call('HDEL', key, name)\n"
    "    elseif name ~= 'h:' .. owner then\n"
    "      others = others + 1\n"
    "      others_calls = others_calls + calls\n"
    "    end\n"
    "  else s[name] = tonumber(flat[i + 1]) end\n"
    "end\n"
    "local max, min, floor, abs = math.max, math.min, math.floor, math.abs\n"
    "local function ceil(x, y) return floor((x + y - 1) / y) end\n"
    "local function limit_of()\n"
    "  local l = s.told > 0 and s.told or a.limit\n"
    "  if a.override > 0 and l > 0 then l = min(l, a.override) end\n"
    "  return l\n"
    "end\n"
    "local function factor_of()\n"
    "  if s.factor == 0 then return 1000 end\n"
    "  local steps = min(floor(max(now - s.factor_at, 0) / 60000), 10)\n"
    "  return min(s.factor + steps * 100, 1000)\n"
    "end\n"
    "local function rate_of()\n"
    "  local l = max(floor(limit_of() * factor_of() / 1000), 1)\n"
    "  local burst = a.burst > 0 and a.burst or floor(l / 10)\n"
    "  burst = max(min(burst, max(l - 1, 1)), 1)\n"
    "  return burst, max(l - burst, 1), max(a.window + a.late, 1)\n"
    "end\n"
    "if s.window == 0 then\n"
    "  local _, refill = rate_of()\n"
    "  s.level = -refill * a.ahead\n"
    "  s.level_at = now\n"
    "  s.remaining = limit_of()\n"
    "else\n"
    "  if s.window ~= max(a.window, 1) then\n"
    "    local level = s.level * (a.window + a.late) / (s.window + s.late)\n"
    "    s.level = level < 0 and -floor(-level) - 1 or floor(level)\n"
    "    s.remaining = min(s.remaining, limit_of())\n"
    "  end\n"
    "  local burst, refill, unit = rate_of()\n"
    "  local credit = max(now - s.level_at, 0)\n"
    "  if a.elapsed >= 0 then credit = min(credit, a.elapsed) end\n"
    "  if now > s.level_at or s.level_at - now > a.jitter_ms then s.level_at = now end\n"
    "  if now - s.touched > max(a.window, 60000) then\n"
    "    s.level = min(s.level, 0)\n"
    "    credit = 0\n"
    "  end\n"
    "  s.level = min(s.level + credit * refill, burst * unit)\n"
    "end\n"
    "if s.reset > 0 and now >= s.reset then\n"
    "  s.reset = 0\n"
    "  s.remaining = limit_of()\n"
    "end\n"
    "s.window = max(a.window, 1)\n"
    "s.late = a.late\n"
    "s.quota = a.quota\n"
    "s.limit = a.limit\n"
    "s.touched = now\n"
    "if a.given_back > 0 and abs(a.window_of - s.reset) < 5000 then\n"
    "  s.remaining = min(s.remaining + a.given_back, limit_of())\n"
    "end\n"
    "if a.heard == 1 then\n"
    "  local newest = now - a.h_ago > s.heard\n"
    "  if a.h_limit > 0 then\n"
    "    local before = limit_of()\n"
    "    s.told = a.h_limit\n"
    "    if limit_of() ~= before then s.level = min(s.level, 0) end\n"
    "  end\n"
    "  if a.h_reset >= 0 and newest then s.reset = now + a.h_reset end\n"
    "  if a.h_remaining >= 0 then\n"
    "    local l = limit_of()\n"
    "    local above = s.told > 0 and s.told - l or 0\n"
    "    local left = max(a.h_remaining - above, 0)\n"
    "    if a.quota == 0 then\n"
    "      local _, _, unit = rate_of()\n"
    "      s.level = min(s.level, min(left, l) * unit)\n"
    "      s.spent = (a.h_remaining == 0 and a.h_reset > 0) and now + a.h_reset or 0\n"
    "    else\n"
    "      left = min(max(left - others_calls, 0), l)\n"
    "      s.remaining = newest and left or min(s.remaining, left)\n"
    "    end\n"
    "  end\n"
    "  if newest then s.heard = now - a.h_ago end\n"
    "end\n"
    "if a.throttled == 1 and not (s.factor > 0 and abs(now - s.factor_at) < a.throttle_ms) then\n"
    "  s.factor = max(floor(factor_of() / 2), 62)\n"
    "  s.factor_at = now\n"
    "  s.level = min(s.level, 0)\n"
    "end\n"
    "if a.hold > 0 then s.held = max(s.held, now + a.hold) end\n"
    "local holders, limit = others + 1, limit_of()\n"
    "local granted, retry, level, r_refill, r_unit, lasts, window = 0, 0, 0, 0, 0, 0, 0\n"
    "local till = s.held\n"
    "if a.quota == 0 and limit > 0 then till = max(till, s.spent) end\n"
    "if a.want > 0 then\n"
    "  if till > now then retry = till - now\n"
    "  elseif limit == 0 then\n"
    "    granted, lasts = a.want, a.quota_ms\n"
    "  elseif a.quota == 0 then\n"
    "    local burst, refill, unit = rate_of()\n"
    "    level, r_refill, r_unit, lasts = s.level, refill, unit, a.late\n"
    "    if a.cost > burst then retry = -1\n"
    "    else\n"
    "      local whole = refill * a.ahead\n"
    "      local fair = floor(whole / holders)\n"
    "      local worth = min(max(floor(floor(fair / unit) / 2), a.cost), a.want)\n"
    "      local count = max(min(a.want, floor((s.level + fair) / unit)), worth)\n"
    "      local lacking = count * unit - s.level - whole\n"
    "      if lacking > 0 then retry = ceil(lacking, refill)\n"
    "      else\n"
    "        s.level = s.level - count * unit\n"
    "        granted = count\n"
    "      end\n"
    "    end\n"
    "  else\n"
    "    local reserve = floor(limit * a.reserve / 100)\n"
    "    if a.cost > limit - reserve then retry = -1\n"
    "    else\n"
    "      if s.reset == 0 then s.reset = now + (a.window > 0 and a.window or 60000) end\n"
    "      local free = s.remaining - reserve\n"
    "      window, lasts = s.reset, min(a.quota_ms, s.reset - now)\n"
    "      if free < a.cost then retry = s.reset - now\n"
    "      else\n"
    "        local fair = max(floor(free / (2 * holders)), a.cost)\n"
    "        if s.heard == 0 and a.tells == 1 then fair = a.cost end\n"
    "        granted = min(a.want, fair)\n"
    "        s.remaining = s.remaining - granted\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "local function text(x) return string.format('%.0f', x) end\n"
    "local fields = {}\n"
    "for name, value in pairs(s) do\n"
    "  fields[#fields + 1] = name\n"
    "  fields[#fields + 1] = text(value)\n"
    "end\n"
    "redis.call('HSET', key, unpack(fields))\n"
    "if a.leaves == 1 then redis.call('HDEL', key, 'h:' .. owner)\n"
    "else\n"
    "  local calls = a.quota == 1 and a.in_hand + granted or 0\n"
    "  redis.call('HSET', key, 'h:' .. owner, text(calls) .. ':' .. text(now + a.holder_ms))\n"
    "end\n"
    "local life = max(2 * a.window, s.reset - now, s.held - now, s.spent - now, 600000) + 60000\n"
    "redis.call('PEXPIRE', key, text(life))\n"
    "local out = {now, granted, retry, level, r_refill, r_unit, lasts, window, holders,\n"
    "  factor_of(), limit}\n"
    "for i, value in ipairs(out) do out[i] = text(value) end\n"
    "return out\n";

static const RedisScript script = {script_text};

static int64_t reserve_percent(const BudgetSpec *spec) {
    int percent = spec->reserve_percent;
    return percent == 0 ? 10 : CLAMP(percent, 0, 100);
}

/* In the order of the script's names. */
static void add_numbers(RedisCommand *command, const BudgetRedisPlace *place,
                        const BudgetSpec *spec, const BudgetAsk *ask) {
    const int64_t numbers[] = {
        place->now_ms,
        spec->kind == BUDGET_QUOTA,
        spec->limit,
        spec->window_ms,
        spec->burst,
        reserve_percent(spec),
        spec->override_limit,
        spec->headers.remaining || spec->headers.usage,
        ask->elapsed_ms,
        ask->want,
        ask->cost,
        ask->in_hand,
        ask->given_back,
        ask->window,
        ask->heard_any,
        ask->heard.limit,
        ask->heard.remaining,
        ask->heard.reset_in_ms,
        ask->heard.ago_ms,
        ask->throttled,
        ask->hold_ms,
        ask->leaves,
        budget_lateness(spec->window_ms),
        budget_ahead(spec->window_ms),
        BUDGET_HOLDER_MS,
        BUDGET_QUOTA_LASTS_MS,
        BUDGET_THROTTLE_MS,
        BUDGET_JITTER_MS,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        redis_command_int(command, numbers[i]);
    }
}

RedisCommand *budget_redis_command(const BudgetRedisPlace *place, const BudgetSpec *spec,
                                   const BudgetAsk *ask) {
    RedisCommand *command = redis_command_new_script(&script, 1);
    g_autofree char *key =
        g_strdup_printf("budget:%" G_GINT64_FORMAT ":%s", place->epoch, place->key);
    redis_command_key_of_start(command, key);
    add_numbers(command, place, spec, ask);
    redis_command_text(command, place->owner);
    return command;
}

bool budget_redis_read(const RedisReply *reply, BudgetReply *reply_out) {
    if (!reply || reply->kind != REDIS_KIND_LIST || reply->count != REPLY_NUMBERS) {
        return false;
    }
    int64_t numbers[REPLY_NUMBERS];
    for (size_t i = 0; i < REPLY_NUMBERS; i++) {
        numbers[i] = redis_reply_number(reply, i, 0);
    }
    *reply_out = (BudgetReply){.now_ms = numbers[0],
                               .granted = numbers[1],
                               .retry_ms = numbers[2],
                               .level = numbers[3],
                               .refill = numbers[4],
                               .unit = numbers[5],
                               .lasts_ms = numbers[6],
                               .window = numbers[7],
                               .holders = numbers[8],
                               .factor = numbers[9],
                               .limit = numbers[10]};
    return true;
}

/* --- looking --------------------------------------------------------------------------------- */

RedisCommand *budget_redis_scan(int64_t epoch, const char *cursor) {
    RedisCommand *command = redis_command_new("SCAN");
    g_autofree char *pattern = g_strdup_printf("budget:%" G_GINT64_FORMAT ":*", epoch);
    redis_command_text(command, cursor);
    redis_command_text(command, "MATCH");
    redis_command_key_of_start(command, pattern);
    redis_command_text(command, "COUNT");
    redis_command_int(command, 500);
    return command;
}

const char *budget_redis_key(const char *name, int64_t epoch) {
    g_autofree char *part = g_strdup_printf(":budget:%" G_GINT64_FORMAT ":", epoch);
    const char *at = strstr(name, part);
    return at ? at + strlen(part) : NULL;
}

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    {"window", offsetof(BudgetShare, window_ms)},
    {"limit", offsetof(BudgetShare, limit)},
    {"told", offsetof(BudgetShare, told_limit)},
    {"level", offsetof(BudgetShare, level)},
    {"level_at", offsetof(BudgetShare, level_at)},
    {"spent", offsetof(BudgetShare, spent_until)},
    {"remaining", offsetof(BudgetShare, remaining)},
    {"reset", offsetof(BudgetShare, reset_at)},
    {"heard", offsetof(BudgetShare, heard_at)},
    {"held", offsetof(BudgetShare, held_until)},
    {"factor", offsetof(BudgetShare, factor)},
    {"factor_at", offsetof(BudgetShare, factor_at)},
    {"touched", offsetof(BudgetShare, touched_at)},
};

static void read_field(BudgetShare *share, const char *name, int64_t value) {
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        if (strcmp(fields[i].name, name) == 0) {
            *(int64_t *)(void *)((char *)share + fields[i].offset) = value;
        }
    }
}

void budget_redis_share(const RedisReply *hash, BudgetShare *share_out, BudgetKind *kind_out) {
    *share_out = (BudgetShare){0};
    *kind_out = BUDGET_RATE;
    for (size_t i = 0; i + 1 < hash->count; i += 2) {
        const RedisReply *name = &hash->items[i];
        int64_t value = redis_reply_number(hash, i + 1, 0);
        if (name->kind != REDIS_KIND_TEXT) {
            continue;
        }
        read_field(share_out, name->text, value);
        if (strcmp(name->text, "quota") == 0 && value == 1) {
            *kind_out = BUDGET_QUOTA;
        }
    }
}
