/* C ABI of LONGER. C11-clean; the only header that the Java bindings read.
 *
 * Conventions: every function that can fail returns a longer_status (0 = OK) or a handle (NULL =
 * failed) and fills the caller's longer_error, its last parameter. Inputs are borrowed for the
 * call, outputs are allocated by the caller. Text is UTF-8 with an explicit length. Structs that
 * may grow start with struct_bytes = sizeof(the struct). No exception crosses this border.
 * Functions are safe to call from any thread; what may run at the same time is said at each handle.
 */
#ifndef LONGER_C_LONGER_H
#define LONGER_C_LONGER_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LONGER_API __attribute__((visibility("default")))
#else
#define LONGER_API
#endif

typedef int32_t longer_status;
enum {
  LONGER_OK = 0,
  LONGER_INVALID_ARGUMENT = 1,
  LONGER_INVALID_STATE = 2,
  LONGER_OUT_OF_MEMORY = 3,
  LONGER_DEVICE_ERROR = 4,
  LONGER_UNSUPPORTED = 5,
  LONGER_IO_ERROR = 6,
  LONGER_CORRUPT_DATA = 7,
  LONGER_OVERLOADED = 8,
  LONGER_CANCELLED = 9,
  LONGER_INTERNAL = 10,
  /* Not a failure: longer_ranker_rank was asked to use cached keys and values only and holds none
     that match. */
  LONGER_CACHE_MISS = 100
};

/* Why a call failed. message is NUL-terminated UTF-8, cut to fit. */
typedef struct longer_error {
  int32_t code;
  int32_t fatal;       /* 1 if the device is lost for this process: its handles can be destroyed */
  int64_t bytes_asked; /* of OUT_OF_MEMORY; −1 = not known */
  int64_t bytes_free;  /* of OUT_OF_MEMORY, where they were asked for; −1 = not known */
  char message[1000];  /* "[where] what; got X, expected Y" */
} longer_error;

/* BEST: the first NVIDIA GPU where this library and this machine can use it, else the CPU. */
enum { LONGER_DEVICE_CPU = 0, LONGER_DEVICE_CUDA = 1, LONGER_DEVICE_BEST = 2 };

typedef struct longer_device {
  int32_t kind;        /* LONGER_DEVICE_… */
  int32_t index;       /* GPU ordinal */
  int32_t num_threads; /* CPU threads; 0 = the processors this process may use */
  int32_t reserved;
} longer_device;

/* ---- library
 * -------------------------------------------------------------------------------------------------
 */

/* Semantic version of the native core, NUL-terminated, never freed. */
LONGER_API const char* longer_version(void);
/* Number that changes when a struct or function of this header changes incompatibly. */
LONGER_API int32_t longer_abi_version(void);
/* Report on this library and machine, one "key: value" a line: version, CPU tier chosen and
 * available, threads, cgroup memory and CPUs, CUDA compiled, driver, live handles, native bytes.
 * Writes at most capacity bytes, NUL-terminated, and returns the bytes needed with the NUL. */
LONGER_API int64_t longer_doctor(char* text, int64_t capacity);
/* Handles created and not yet destroyed. */
LONGER_API int64_t longer_live_handles(void);
/* Bytes held by models, trainers, caches and workspaces. */
LONGER_API int64_t longer_native_bytes(void);
/* CPU tier in use: "avx512", "avx2" or "portable". LONGER_CPU_TIER in the environment forces a
 * lower one. */
LONGER_API const char* longer_cpu_tier(void);
/* Id of a text: XXH64 with seed 0 of its bytes. All 64-bit numbers occur; so a missing value has a
 * validity bit and no id of its own. bytes >= 0; text may be NULL when it is 0. */
LONGER_API uint64_t longer_hash_id(const char* utf8, int64_t bytes);

/* ---- configuration
 * --------------------------------------------------------------------------------------------- */

/* Parses and validates config.json; writes the normalised text when it fits capacity; *needed = its
 * bytes with NUL. */
LONGER_API longer_status longer_config_normalize(const char* json, int64_t json_bytes, char* text,
                                                 int64_t capacity, int64_t* needed,
                                                 longer_error* error);

/* ---- requests
 * --------------------------------------------------------------------------------------------------
 */

/* One feature of n events, requests or candidates. A feature's kind says which fields are set; the
 * others are NULL. */
typedef struct longer_column {
  const int64_t* ids;     /* categorical: [n], or [offsets[n]] when its values are "many" */
  const float* numbers;   /* numeric: [n], NaN = missing */
  const int64_t* offsets; /* values "many": [n+1], starting at 0 */
  const uint8_t* valid;   /* values "one": bit i % 8 of byte i / 8 set = present; NULL = all are */
} longer_column;

/* A ragged batch. Histories run oldest to newest; offsets start at 0 and have num_requests + 1
 * entries. NaN labels are missing. Counts, and the values of a column, are at most 2^30. A history
 * may be longer than the model's max_history: events before its window are checked and not read.
 * See native/docs/model.md. */
typedef struct longer_batch {
  int64_t struct_bytes;
  int64_t num_requests;                   /* B */
  int64_t num_events;                     /* sum of L */
  int64_t num_candidates;                 /* sum of C */
  const int64_t* event_offsets;           /* [B+1] */
  const int64_t* candidate_offsets;       /* [B+1] */
  const longer_column* event_columns;     /* [event features] of sum L rows */
  const int64_t* event_times;             /* [sum L] epoch seconds, non-decreasing in a request */
  const int64_t* first_ordinals;          /* [B] or NULL = 0 */
  const int64_t* reference_times;         /* [B] epoch seconds, not before the newest event */
  const longer_column* user_columns;      /* [user then context features] of B rows */
  const longer_column* candidate_columns; /* [candidate features] of sum C rows */
  const float* labels;                    /* [tasks, sum C] in 0…1 or NaN; NULL when ranking */
  const float* weights;                   /* [sum C] >= 0 or NULL = 1 */
} longer_batch;

/* ---- model: immutable, shared by any number of rankers and trainers; safe from any thread
 * ------------------------- */

typedef struct longer_model longer_model;

/* A freshly initialised model. */
LONGER_API longer_model* longer_model_create(const char* config_json, int64_t config_bytes,
                                             uint64_t seed, const longer_device* device,
                                             longer_error* error);
/* Reads a model folder (native/docs/model-format.md). */
LONGER_API longer_model* longer_model_load(const char* path, const longer_device* device,
                                           longer_error* error);
/* Writes a model folder: to a temporary sibling, checksummed, fsynced, renamed over path. */
LONGER_API longer_status longer_model_save(const longer_model* model, const char* path,
                                           longer_error* error);
LONGER_API void longer_model_destroy(longer_model* model);
/* config.json of the model, as longer_config_normalize writes it. */
LONGER_API longer_status longer_model_config(const longer_model* model, char* text,
                                             int64_t capacity, int64_t* needed,
                                             longer_error* error);
/* Unique number of this set of weights in this process. */
LONGER_API int64_t longer_model_version(const longer_model* model);
/* Number of dense parameters (elements), and of rows over all growable tables. */
LONGER_API int64_t longer_model_num_parameters(const longer_model* model);
LONGER_API int64_t longer_model_num_table_rows(const longer_model* model);

/* Named dense parameters (names and shapes: native/docs/model.md). JSON: [{"name":…,"shape":[…]},
 * …] in arena order. */
LONGER_API longer_status longer_model_describe_parameters(const longer_model* model, char* json,
                                                          int64_t capacity, int64_t* needed,
                                                          longer_error* error);
LONGER_API longer_status longer_model_get_parameter(const longer_model* model, const char* name,
                                                    float* values, int64_t num_values,
                                                    longer_error* error);
/* Rows of a growable table sorted by id: ids [n], rows [n+1, width] with the out-of-vocabulary row
 * first. Call with capacity 0 to learn *num_ids. */
LONGER_API longer_status longer_model_get_table(const longer_model* model, const char* table,
                                                int64_t* ids, float* rows, int64_t capacity,
                                                int64_t* num_ids, longer_error* error);

/* ---- model builder: a model from numbers that were made elsewhere; one thread at a time */

typedef struct longer_model_builder longer_model_builder;

LONGER_API longer_model_builder* longer_model_builder_create(const char* config_json,
                                                             int64_t config_bytes,
                                                             longer_error* error);
/* Copies a dense parameter, row-major. */
LONGER_API longer_status longer_model_builder_set_parameter(longer_model_builder* builder,
                                                            const char* name, const float* values,
                                                            int64_t num_values,
                                                            longer_error* error);
/* Copies a growable table: distinct ids [n] in any order, rows [n + 1, width] with the
 * out-of-vocabulary row first. */
LONGER_API longer_status longer_model_builder_set_table(longer_model_builder* builder,
                                                        const char* table, const int64_t* ids,
                                                        const float* rows, int64_t num_ids,
                                                        longer_error* error);
/* The model, once. INVALID_STATE names a parameter or table that was not set. */
LONGER_API longer_model* longer_model_builder_build(longer_model_builder* builder,
                                                    const longer_device* device,
                                                    longer_error* error);
LONGER_API void longer_model_builder_destroy(longer_model_builder* builder);

/* ---- trainer: one thread at a time
 * -------------------------------------------------------------------------------- */

typedef struct longer_trainer longer_trainer;

typedef struct longer_trainer_options {
  int64_t struct_bytes;
  double learning_rate;       /* AdamW, dense parameters */
  double table_learning_rate; /* row-wise Adagrad, growable tables */
  double beta1, beta2, epsilon;
  double weight_decay; /* weight matrices of linear maps only */
  double table_epsilon;
  double clip_norm;     /* global L2 norm of dense and deduplicated sparse gradients; 0 = off */
  int64_t warmup_steps; /* linear from 0 */
  int64_t decay_steps;  /* cosine to decay_floor of the rate after warm-up, counted from step 0; 0 =
                           constant */
  double decay_floor;
  uint64_t seed;         /* new table rows, dropout */
  int64_t recomputation; /* LONGER_RECOMPUTE_… */
  int64_t nonfinite;     /* LONGER_NONFINITE_…: a step whose loss or gradients are not finite */
  int64_t precision;     /* LONGER_PRECISION_… */
} longer_trainer_options;

/* What the backward pass computes again to save memory; the same bits whichever. MERGE: event
 * tokens and token merge (on the CPU always so). FULL: every layer too, which then keeps its input
 * rows alone. */
enum { LONGER_RECOMPUTE_NONE = 0, LONGER_RECOMPUTE_MERGE = 1, LONGER_RECOMPUTE_FULL = 2 };
/* SKIP: the step changes nothing and its result says so. FAIL: it changes nothing and the call
 * fails with INVALID_STATE naming the step and what was not finite. */
enum { LONGER_NONFINITE_SKIP = 0, LONGER_NONFINITE_FAIL = 1 };
/* Of activations and the copies of weights in training; sums, statistics, logits, loss and the
 * weights themselves are fp32 in both. BF16 needs a CUDA device (UNSUPPORTED otherwise); shapes
 * without bf16 kernels run in fp32. */
enum { LONGER_PRECISION_FP32 = 0, LONGER_PRECISION_BF16 = 1 };

typedef struct longer_step_result {
  int64_t struct_bytes;
  int64_t step;         /* steps done */
  double loss;          /* sum w·bce / sum w of the last step */
  double weight;        /* sum of w */
  double gradient_norm; /* before clipping */
  double learning_rate; /* of the last step */
  int64_t skipped; /* 1 if the step changed nothing because loss or gradients were not finite */
  int64_t num_requests, num_events, num_candidates;
  int64_t new_table_rows;
  char nonfinite[256]; /* of a skipped step: the first value that was not finite, in words;
                          NUL-terminated, cut to fit */
} longer_step_result;

LONGER_API void longer_trainer_options_default(longer_trainer_options* options);
/* Copies the model's parameters; the model is not changed by training. */
LONGER_API longer_trainer* longer_trainer_create(const longer_model* model,
                                                 const longer_trainer_options* options,
                                                 const longer_device* device, longer_error* error);
LONGER_API void longer_trainer_destroy(longer_trainer* trainer);
/* One optimizer step on one batch with labels: accumulate, then apply. */
LONGER_API longer_status longer_trainer_step(longer_trainer* trainer, const longer_batch* batch,
                                             longer_error* error);
/* Adds the gradients of one of several batches of an optimizer step. A batch that is refused with
 * INVALID_ARGUMENT leaves what was added before; after any other failure nothing is left of it. */
LONGER_API longer_status longer_trainer_accumulate(longer_trainer* trainer,
                                                   const longer_batch* batch, longer_error* error);
/* One optimizer step over all batches accumulated since the last one, loss = sum w·t·bce / sum w·t
 * over all of them. INVALID_STATE when there is none. */
LONGER_API longer_status longer_trainer_apply(longer_trainer* trainer, longer_error* error);
/* Forgets the accumulated batches; table rows and counts that their ids got stay. */
LONGER_API longer_status longer_trainer_discard(longer_trainer* trainer, longer_error* error);
/* Figures of the last completed step. */
LONGER_API longer_status longer_trainer_result(longer_trainer* trainer, longer_step_result* result,
                                               longer_error* error);
/* Loss and gradients without an update, dropout as in the next step; gradients are read by
 * longer_trainer_get_gradient. INVALID_STATE between accumulate and apply. */
LONGER_API longer_status longer_trainer_gradients(longer_trainer* trainer,
                                                  const longer_batch* batch, double* loss,
                                                  longer_error* error);
LONGER_API longer_status longer_trainer_get_gradient(const longer_trainer* trainer,
                                                     const char* name, float* values,
                                                     int64_t num_values, longer_error* error);
/* Deduplicated gradient of a growable table after longer_trainer_gradients: ids [n] ascending, rows
 * [n, width]. */
LONGER_API longer_status longer_trainer_get_table_gradient(const longer_trainer* trainer,
                                                           const char* table, int64_t* ids,
                                                           float* rows, int64_t capacity,
                                                           int64_t* num_ids, longer_error* error);
/* Probabilities of every candidate of a batch with the trainer's present weights: scores [tasks,
 * sum C]. */
LONGER_API longer_status longer_trainer_predict(longer_trainer* trainer, const longer_batch* batch,
                                                float* scores, int64_t num_scores,
                                                longer_error* error);
/* Snapshot of the present weights, with a new version. */
LONGER_API longer_model* longer_trainer_model(const longer_trainer* trainer, longer_error* error);
/* Writes or reads a checkpoint: the model folder with optimizer state and step, and `progress`:
 * text of the caller's (reader's position, shuffle and generator state), at most 16 MiB, kept as it
 * is; NULL = none. INVALID_STATE between accumulate and apply. */
LONGER_API longer_status longer_trainer_save(const longer_trainer* trainer, const char* path,
                                             const char* progress, int64_t progress_bytes,
                                             longer_error* error);
LONGER_API longer_trainer* longer_trainer_load(const char* path,
                                               const longer_trainer_options* options,
                                               const longer_device* device, longer_error* error);

/* The progress of the checkpoint that the trainer was loaded from, "" without; *needed = its bytes
 * with the NUL. */
LONGER_API longer_status longer_trainer_progress(const longer_trainer* trainer, char* text,
                                                 int64_t capacity, int64_t* needed,
                                                 longer_error* error);

/* ---- ranker: any number of threads
 * -------------------------------------------------------------------------------- */

typedef struct longer_ranker longer_ranker;

typedef struct longer_ranker_options {
  int64_t struct_bytes;
  int64_t user_cache_bytes; /* limit of cached user keys and values; 0 = no cache */
  int64_t queue_capacity;   /* waiting submissions before OVERLOADED; 0 = 1024 */
  int64_t time_to_live_ms;  /* age at which cached keys and values are dropped; 0 = none */
} longer_ranker_options;

enum {
  LONGER_CACHE_NONE = 0, /* encode the history, keep nothing */
  LONGER_CACHE_USE =
      1, /* take the user's keys and values if they match, else encode the history and keep them */
  LONGER_CACHE_ONLY =
      2 /* as USE, but the history is absent: answer LONGER_CACHE_MISS instead of encoding */
};

/* One request: batch has num_requests 1 (num_events 0 with CACHE_ONLY). Cached keys and values
 * match when user_key, history_version, model version and (REQUEST_RELATIVE time) the reference
 * time are equal, and with CACHE_USE also the window's first event and the number of events. */
typedef struct longer_ranking_request {
  int64_t struct_bytes;
  int64_t cache_mode; /* LONGER_CACHE_… */
  int64_t user_key;
  int64_t history_version; /* 0 = hash of the history's ids and times */
  longer_batch* batch;
  int64_t new_history_version; /* longer_ranker_append alone: the version after; 0 = the hash */
} longer_ranking_request;

typedef struct longer_ranker_stats {
  int64_t struct_bytes;
  int64_t requests, candidates; /* answered; LONGER_CACHE_MISS answers count nowhere */
  int64_t cache_hits, cache_misses, cache_evictions;
  int64_t cache_entries, cache_bytes;
  int64_t cache_expired;                 /* users dropped for their age */
  int64_t cache_appended, cache_rebuilt; /* appends applied; appends that were a rebuild instead */
} longer_ranker_stats;

LONGER_API longer_ranker* longer_ranker_create(const longer_model* model,
                                               const longer_ranker_options* options,
                                               longer_error* error);
LONGER_API void longer_ranker_destroy(longer_ranker* ranker);
/* Probabilities: scores [tasks, C], num_scores = tasks · C. */
LONGER_API longer_status longer_ranker_rank(longer_ranker* ranker,
                                            const longer_ranking_request* request, float* scores,
                                            int64_t num_scores, longer_error* error);
/* Copies the request and returns; the scores are fetched by poll. */
LONGER_API longer_status longer_ranker_submit(longer_ranker* ranker,
                                              const longer_ranking_request* request, int64_t tag,
                                              longer_error* error);
/* Waits up to timeout_ms for a finished submission; *tag = its tag or −1, error = its outcome,
 * scores = its scores (capacity floats; INVALID_ARGUMENT with the submission kept when too small).
 */
LONGER_API longer_status longer_ranker_poll(longer_ranker* ranker, int64_t timeout_ms, int64_t* tag,
                                            float* scores, int64_t capacity, int64_t* num_scores,
                                            longer_error* error);
/* Takes a waiting submission back: *cancelled = 1 if it had not started. */
LONGER_API longer_status longer_ranker_cancel(longer_ranker* ranker, int64_t tag,
                                              int32_t* cancelled, longer_error* error);
LONGER_API longer_status longer_ranker_get_stats(longer_ranker* ranker, longer_ranker_stats* stats,
                                                 longer_error* error);
/* Appends events to a user's cached history: batch holds one request with the new events alone (no
 * candidates; reference times and user columns are not read), history_version is the version that
 * the cache must hold (0 = any), new_history_version the one it holds then. A first ordinal other
 * than 0 must be the number of events so far. Re-encodes what the events change and no more, to the
 * same bits as encoding the whole history (native/docs/model.md, "Append"). Rankings at the same
 * time see the history before or after; appends for one user are served one after the other.
 * *outcome = 1: appended. LONGER_CACHE_MISS, and nothing is changed: no cached history matches, the
 * window moves, or the configuration allows no append; rank with the whole history then. */
LONGER_API longer_status longer_ranker_append(longer_ranker* ranker,
                                              const longer_ranking_request* request,
                                              int32_t* outcome, longer_error* error);
/* Drops one user's keys and values; *evicted = 1 if there were any. */
LONGER_API longer_status longer_ranker_evict(longer_ranker* ranker, int64_t user_key,
                                             int32_t* evicted, longer_error* error);

/* Why candidate `candidate` of the request scores as it does: attribution [L] >= 0, sums to 1 over
 * the events kept, 0 for events outside the window: attention of the candidate's rows in the
 * cross-causal layer per merged group (mean over heads), spread over the group's events by
 * |gradient · event token|. */
LONGER_API longer_status longer_ranker_explain(longer_ranker* ranker,
                                               const longer_ranking_request* request,
                                               int64_t candidate, int64_t task, float* attribution,
                                               int64_t num_events, longer_error* error);
/* Final vectors after the last layer norm: globals [request rows, D], candidates [C, rows of one
 * candidate, D]. Request rows: CLS tokens, under CACHEABLE then the user tokens. A candidate's
 * rows: its tokens, under STRICT and FULL then its own user tokens. */
LONGER_API longer_status longer_ranker_represent(longer_ranker* ranker,
                                                 const longer_ranking_request* request,
                                                 float* globals, int64_t num_global_values,
                                                 float* candidates, int64_t num_candidate_values,
                                                 longer_error* error);

/* ---- shards: training data on disk (native/docs/shard-format.md)
 * -------------------------------------------------------------------------------- */

typedef struct longer_shard_counts {
  int64_t struct_bytes;
  int64_t shards; /* files */
  int64_t logs;   /* users' event logs; a user may have several */
  int64_t events; /* stored ones, shared by the histories that have them */
  int64_t requests, candidates;
  int64_t bytes; /* of the shard files */
} longer_shard_counts;

/* Writes a shard folder front to back: one thread at a time. */
typedef struct longer_shard_writer longer_shard_writer;

/* schema_json: schema.json of the folder. Memory and shards are about shard_bytes large; 0 = 64
 * MiB. The folder appears at finish, whole; until then what stood there stays. */
LONGER_API longer_shard_writer* longer_shard_writer_create(const char* path,
                                                           const char* schema_json,
                                                           int64_t schema_bytes,
                                                           int64_t shard_bytes,
                                                           longer_error* error);
/* Appends the requests of a batch whose columns are those of the schema, in its order; labels may
 * be NULL. Consecutive requests of one user (user_keys [B]) store events that they share by ordinal
 * once. */
LONGER_API longer_status longer_shard_writer_add(longer_shard_writer* writer,
                                                 const longer_batch* batch,
                                                 const int64_t* user_keys, longer_error* error);
/* What was added so far; bytes and shards of what is on disk. */
LONGER_API longer_status longer_shard_writer_get_counts(const longer_shard_writer* writer,
                                                        longer_shard_counts* counts,
                                                        longer_error* error);
/* Puts the folder in place; the last call but destroy. */
LONGER_API longer_status longer_shard_writer_finish(longer_shard_writer* writer,
                                                    longer_error* error);
/* Without finish: leaves nothing behind. */
LONGER_API void longer_shard_writer_destroy(longer_shard_writer* writer);

/* A shard folder, mapped; immutable, safe from any thread. */
typedef struct longer_shards longer_shards;

/* verify != 0 reads every file once to compare its checksum. */
LONGER_API longer_shards* longer_shards_open(const char* path, int32_t verify, longer_error* error);
LONGER_API void longer_shards_destroy(longer_shards* shards);
LONGER_API longer_status longer_shards_get_counts(const longer_shards* shards,
                                                  longer_shard_counts* counts, longer_error* error);
/* Checksum of the folder's manifest, which holds those of its files: equal for equal data. */
LONGER_API int64_t longer_shards_fingerprint(const longer_shards* shards);
/* schema.json, normalised. */
LONGER_API longer_status longer_shards_schema(const longer_shards* shards, char* text,
                                              int64_t capacity, int64_t* needed,
                                              longer_error* error);

/* One pass over shards in batches; one thread at a time. Keeps the shards open. */
typedef struct longer_reader longer_reader;

typedef struct longer_reader_options {
  int64_t struct_bytes;
  int64_t batch_requests; /* most requests of a batch */
  int64_t batch_events;   /* most events of a batch of several requests; 0 = any number */
  int64_t max_history;    /* newest events kept of a history; 0 = all */
  int64_t shuffle;        /* 0 = stored order */
  uint64_t seed;
  int64_t epoch;               /* each has an order of its own */
  int64_t worker, num_workers; /* reads places worker, worker + num_workers … of the order */
  int64_t threads;             /* that gather ahead; 0 = next gathers */
  int64_t first_request;       /* requests of the pass that come before the first batch */
} longer_reader_options;

LONGER_API void longer_reader_options_default(longer_reader_options* options);
/* Reads the columns and labels that the configuration names. Order and batches are the same for any
 * number of threads. */
LONGER_API longer_reader* longer_reader_create(const longer_shards* shards, const char* config_json,
                                               int64_t config_bytes,
                                               const longer_reader_options* options,
                                               longer_error* error);
LONGER_API void longer_reader_destroy(longer_reader* reader);
/* The next batch, borrowed until the next call; num_requests is 0 at the end, never before. */
LONGER_API longer_status longer_reader_next(longer_reader* reader, longer_batch* batch,
                                            longer_error* error);
/* Keys of the last batch's users [B], valid as long as the batch. */
LONGER_API const int64_t* longer_reader_user_keys(const longer_reader* reader);
/* Requests of the whole pass. */
LONGER_API int64_t longer_reader_num_requests(const longer_reader* reader);
/* Where the pass stands after the last batch returned, as JSON. */
LONGER_API longer_status longer_reader_state(const longer_reader* reader, char* text,
                                             int64_t capacity, int64_t* needed,
                                             longer_error* error);
/* Goes on after that batch; before the first next, over the same shards in the same order. */
LONGER_API longer_status longer_reader_restore(longer_reader* reader, const char* text,
                                               int64_t bytes, longer_error* error);

#ifdef __cplusplus
}
#endif

#endif /* LONGER_C_LONGER_H */
