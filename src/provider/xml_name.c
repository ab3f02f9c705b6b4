#include "provider/xml_name.h"

#include <stdint.h>

/* Names of elements and keys of maps that one document may have. An answer has some hundred. */
#define NAMES_MAX 65536

/* Eight bytes at a time. How many names a document may have bounds what chosen ones can cost. */
static guint hash_of(const char *text, size_t length) {
    const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = length, word = 0;
    for (; length > sizeof word; text += sizeof word, length -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32;
    }
    for (word = 0; length > 0; length--)
        word = word << 8 | (unsigned char)text[length - 1];
    hash = (hash ^ word) * prime;
    return (guint)(hash >> 32);
}

static bool is_spelt(const char *name, size_t name_length, const char *text, size_t length) {
    return name_length == length && memcmp(name, text, length) == 0;
}

/* --- rules ------------------------------------------------------------------------------------ */

static XmlRule *find_rule(const XmlRules *rules, const char *name, size_t length, guint hash) {
    XmlRule *rule = rules->slots[hash & (XML_RULE_SLOTS - 1)];
    while (rule != NULL &&
           (rule->hash != hash || !is_spelt(rule->name, rule->length, name, length)))
        rule = rule->next;
    return rule;
}

XmlRule *xml_rules_get(XmlRules *rules, const char *name, size_t length) {
    guint hash = hash_of(name, length);
    XmlRule *rule = find_rule(rules, name, length, hash);
    if (rule != NULL)
        return rule;
    XmlRule **slot = &rules->slots[hash & (XML_RULE_SLOTS - 1)];
    rule = g_new(XmlRule, 1);
    *rule =
        (XmlRule){.next = *slot, .hash = hash, .length = length, .name = g_strndup(name, length)};
    *slot = rule;
    return rule;
}

static void rule_free(XmlRule *rule) {
    if (rule->items != NULL)
        g_ptr_array_unref(rule->items);
    g_free(rule->name);
    g_free(rule);
}

void xml_rules_clear(XmlRules *rules) {
    for (size_t i = 0; i < XML_RULE_SLOTS; i++) {
        for (XmlRule *rule = rules->slots[i], *next; rule != NULL; rule = next) {
            next = rule->next;
            rule_free(rule);
        }
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void names_grow(XmlNames *names) {
    guint room = names->room * 2;
    XmlName **slots = g_new0(XmlName *, room);
    for (guint i = 0; i < names->room; i++) {
        for (XmlName *name = names->slots[i], *next; name != NULL; name = next) {
            next = name->next;
            name->next = slots[name->hash & (room - 1)];
            slots[name->hash & (room - 1)] = name;
        }
    }
    if (names->slots != names->first)
        g_free(names->slots);
    names->slots = slots;
    names->room = room;
}

void xml_names_init(XmlNames *names, const XmlRules *rules) {
    names->rules = rules;
    memset(names->first, 0, sizeof names->first);
    names->slots = names->first;
    names->room = XML_NAME_SLOTS;
    names->count = 0;
    names->owns = false;
}

static void name_free(const XmlNames *names, XmlName *name) {
    g_free(name->copy);
    if (name < names->few || name >= names->few + XML_FEW_NAMES)
        g_free(name);
}

void xml_names_clear(XmlNames *names) {
    for (guint i = 0; names->owns && i < names->room; i++) {
        for (XmlName *name = names->slots[i], *next; name != NULL; name = next) {
            next = name->next;
            name_free(names, name);
        }
    }
    if (names->slots != names->first)
        g_free(names->slots);
}

XmlName *xml_names_intern(XmlNames *names, const char *text, size_t length) {
    guint hash = hash_of(text, length);
    for (XmlName *name = names->slots[hash & (names->room - 1)]; name != NULL; name = name->next) {
        if (name->hash == hash && is_spelt(name->text, name->length, text, length))
            return name;
    }
    if (names->count >= NAMES_MAX)
        return NULL;
    if (names->count == names->room)
        names_grow(names);
    XmlName **slot = &names->slots[hash & (names->room - 1)];
    XmlName *name = names->count < XML_FEW_NAMES ? &names->few[names->count] : g_new(XmlName, 1);
    *name = (XmlName){.next = *slot,
                      .rule = find_rule(names->rules, text, length, hash),
                      .hash = hash,
                      .length = length,
                      .text = text};
    names->owns = names->owns || names->count >= XML_FEW_NAMES;
    names->count++;
    *slot = name;
    return name;
}

XmlName *xml_names_intern_copy(XmlNames *names, const char *text, size_t length) {
    XmlName *name = xml_names_intern(names, text, length);
    if (name != NULL && name->text == text) {
        name->text = name->copy = g_strndup(text, length);
        names->owns = true;
    }
    return name;
}
