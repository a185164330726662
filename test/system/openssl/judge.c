/*
 * What OpenSSL says of many messages and chains in one process, by the calls that `openssl cms -verify -binary -purpose
 * any` and `openssl verify` make. Reads records from standard input, each a kind and fields with a big-endian 32-bit
 * length before them:
 *
 *   'c'  time (8 bytes), anchor, data, message            a detached CMS message in DER
 *   'v'  time (8 bytes), anchor, leaf, n (1 byte), n untrusted certificates    a chain
 *   's'  the same, as `openssl verify -x509_strict` judges it
 *
 * and writes one line for each: `ok`, or what it did not like.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  unsigned char *bytes;
  size_t length;
} field;

static int read_field(field *into) {
  unsigned char header[4];
  if (fread(header, 1, 4, stdin) != 4) return 0;
  into->length = (size_t)header[0] << 24 | (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
  into->bytes = malloc(into->length + 1);
  return fread(into->bytes, 1, into->length, stdin) == into->length;
}

static void answer(const char *text) {
  for (; *text != '\0'; text++) putchar(*text == '\n' ? ' ' : *text);
  putchar('\n');
}

static void answer_with_error(void) {
  unsigned long error = ERR_peek_last_error();
  const char *data = NULL;
  int flags = 0;
  ERR_peek_last_error_data(&data, &flags);
  char line[512];
  const char *reason = error == 0 ? "no reason" : ERR_reason_error_string(error);
  snprintf(line, sizeof line, "%s%s%s", reason == NULL ? "unnamed reason" : reason, data != NULL && *data ? ": " : "", data == NULL ? "" : data);
  answer(line);
}

static X509 *certificate(const field *from) {
  const unsigned char *at = from->bytes;
  return d2i_X509(NULL, &at, (long)from->length);
}

/* The anchor at a fixed time, for any purpose where there is one to set. */
static X509_STORE *store(X509 *anchor, long long at, int any_purpose, unsigned long flags) {
  X509_STORE *made = X509_STORE_new();
  X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
  X509_VERIFY_PARAM_set_time(param, (time_t)at);
  X509_VERIFY_PARAM_set_flags(param, flags);
  if (any_purpose) X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_ANY);
  X509_STORE_set1_param(made, param);
  X509_VERIFY_PARAM_free(param);
  X509_STORE_add_cert(made, anchor);
  return made;
}

static void judge_message(const field *anchor_der, long long at, const field *data, const field *message) {
  X509 *anchor = certificate(anchor_der);
  BIO *in = BIO_new_mem_buf(message->bytes, (int)message->length);
  BIO *content = BIO_new_mem_buf(data->bytes, (int)data->length);
  BIO *out = BIO_new(BIO_s_null());
  CMS_ContentInfo *cms = d2i_CMS_bio(in, NULL);
  X509_STORE *trusted = anchor == NULL ? NULL : store(anchor, at, 1, 0);
  if (cms != NULL && trusted != NULL && CMS_verify(cms, NULL, trusted, content, out, CMS_BINARY) > 0) answer("ok");
  else answer_with_error();
  CMS_ContentInfo_free(cms);
  X509_STORE_free(trusted);
  X509_free(anchor);
  BIO_free(in);
  BIO_free(content);
  BIO_free(out);
}

static void judge_chain(const field *anchor_der, long long at, const field *leaf_der, STACK_OF(X509) *untrusted,
                        unsigned long flags) {
  X509 *anchor = certificate(anchor_der);
  X509 *leaf = certificate(leaf_der);
  if (anchor == NULL || leaf == NULL) answer_with_error();
  else {
    X509_STORE *trusted = store(anchor, at, 0, flags);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, trusted, leaf, untrusted);
    int good = X509_verify_cert(context) > 0 && X509_STORE_CTX_get_error(context) == X509_V_OK;
    answer(good ? "ok" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    X509_STORE_CTX_free(context);
    X509_STORE_free(trusted);
  }
  X509_free(anchor);
  X509_free(leaf);
}

int main(void) {
  for (int kind = getchar(); kind != EOF; kind = getchar()) {
    field when, anchor, first, next;
    if (!read_field(&when) || !read_field(&anchor) || !read_field(&first)) return 2;
    long long at = 0;
    for (size_t index = 0; index < when.length; index++) at = at << 8 | when.bytes[index];
    ERR_clear_error();
    if (kind == 'c') {
      if (!read_field(&next)) return 2;
      judge_message(&anchor, at, &first, &next);
      free(next.bytes);
    } else {
      STACK_OF(X509) *untrusted = sk_X509_new_null();
      if (!read_field(&next)) return 2;
      int count = next.bytes[0];
      free(next.bytes);
      for (; count > 0; count--) {
        if (!read_field(&next)) return 2;
        X509 *one = certificate(&next);
        free(next.bytes);
        /* the command too goes on without what it cannot read */
        if (one != NULL) sk_X509_push(untrusted, one);
      }
      judge_chain(&anchor, at, &first, untrusted, kind == 's' ? X509_V_FLAG_X509_STRICT : 0);
      sk_X509_pop_free(untrusted, X509_free);
    }
    free(when.bytes);
    free(anchor.bytes);
    free(first.bytes);
  }
  return 0;
}
