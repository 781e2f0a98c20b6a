#pragma once
// Event tokens and token merge in plain double-precision loops, forward and backward.
#include <cstddef>
#include <vector>

#include "reference/attention.hpp"
#include "reference/layer_norm.hpp"
#include "reference/linear.hpp"

namespace longer::reference {

struct LinearParameters {
  size_t in = 0, out = 0;
  Doubles weight, bias;  // [out, in], [out]
};
struct NormParameters {
  Doubles weight, bias;  // [d]
};
struct InnerBlock {
  NormParameters ln1, ln2;
  LinearParameters qkv, out, fc1, fc2;
};

/// The event encoder's values, or their gradients.
struct EventEncoder {
  size_t group_size = 1, heads = 1;
  std::vector<size_t> widths;   // of each feature
  std::vector<Doubles> tables;  // per feature [rows, width]
  size_t time_width = 0;
  Doubles position, time_bucket;  // [positions, X], [buckets, time_width]
  LinearParameters fc1, fc2;
  Doubles slot;  // [group_size, d]; empty without blocks
  std::vector<InnerBlock> blocks;

  size_t feature_width() const {
    size_t sum = 0;
    for (size_t width : widths) sum += width;
    return sum;
  }
};

struct Events {
  std::vector<std::vector<size_t>> rows;          // per feature, per event
  std::vector<size_t> positions, buckets, slots;  // per event
  std::vector<size_t> offsets = {0};              // groups + 1
  size_t count() const { return offsets.back(); }
};

inline Doubles linear(const LinearParameters& w, const Doubles& x) {
  return linear(x, w.weight, w.bias, x.size() / w.in, w.in, w.out);
}
inline Doubles gelu(const Doubles& u) {
  Doubles y = u;
  for (double& value : y) value = gelu(value);
  return y;
}
inline void add_to(Doubles& to, const Doubles& term) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += term[i];
}

struct InnerTrace {
  Doubles input, normed1, qkv, middle, normed2, hidden;  // hidden: before gelu
  AttentionCase attention;
  Doubles attended, output;
};

/// One group's rows through a block.
inline InnerTrace inner_block(const InnerBlock& w, size_t heads, const Doubles& input) {
  const size_t d = w.out.out;
  const size_t n = input.size() / d;
  InnerTrace t;
  t.input = input;
  t.normed1 = layer_norm(input, w.ln1.weight, w.ln1.bias, n).y;
  t.qkv = linear(w.qkv, t.normed1);
  t.attention.rows = t.attention.keys = n;
  t.attention.width = d;
  t.attention.heads = heads;
  t.attention.sees.assign(n * n, true);
  Doubles* parts[] = {&t.attention.q, &t.attention.k, &t.attention.v};
  for (size_t i = 0; i < n; ++i) {
    for (size_t part = 0; part < 3; ++part) {
      for (size_t c = 0; c < d; ++c) parts[part]->push_back(t.qkv[(i * 3 + part) * d + c]);
    }
  }
  t.attended = attention(t.attention).out;
  t.middle = linear(w.out, t.attended);
  add_to(t.middle, input);
  t.normed2 = layer_norm(t.middle, w.ln2.weight, w.ln2.bias, n).y;
  t.hidden = linear(w.fc1, t.normed2);
  t.output = linear(w.fc2, gelu(t.hidden));
  add_to(t.output, t.middle);
  return t;
}

struct GroupTrace {
  Doubles features, hidden, tokens;  // [n, X + T], [n, 2d] before gelu, [n, d]
  std::vector<InnerTrace> blocks;
  Doubles output;  // [n, d]
};

inline GroupTrace encode_group(const EventEncoder& w, const Events& events, size_t group) {
  GroupTrace t;
  const size_t width = w.feature_width();
  const size_t d = w.fc2.out;
  for (size_t e = events.offsets[group]; e < events.offsets[group + 1]; ++e) {
    size_t column = 0;
    for (size_t f = 0; f < w.widths.size(); ++f) {
      for (size_t c = 0; c < w.widths[f]; ++c, ++column) {
        t.features.push_back(w.tables[f][events.rows[f][e] * w.widths[f] + c] +
                             w.position[events.positions[e] * width + column]);
      }
    }
    for (size_t c = 0; c < w.time_width; ++c) {
      t.features.push_back(w.time_bucket[events.buckets[e] * w.time_width + c]);
    }
  }
  t.hidden = linear(w.fc1, t.features);
  t.tokens = linear(w.fc2, gelu(t.hidden));
  t.output = t.tokens;
  if (w.blocks.empty()) return t;
  for (size_t i = 0; i < t.output.size(); ++i) {
    t.output[i] += w.slot[events.slots[events.offsets[group] + i / d] * d + i % d];
  }
  for (const InnerBlock& block : w.blocks) {
    t.blocks.push_back(inner_block(block, w.heads, t.output));
    t.output = t.blocks.back().output;
  }
  return t;
}

struct EncodedEvents {
  Doubles merged;  // [groups, group_size · d]
  Doubles tokens;  // [events, d]
};

inline EncodedEvents event_encoder(const EventEncoder& w, const Events& events) {
  const size_t d = w.fc2.out;
  const size_t groups = events.offsets.size() - 1;
  EncodedEvents result;
  result.merged.assign(groups * w.group_size * d, 0.0);
  for (size_t g = 0; g < groups; ++g) {
    const GroupTrace t = encode_group(w, events, g);
    result.tokens.insert(result.tokens.end(), t.tokens.begin(), t.tokens.end());
    for (size_t i = 0; i < t.output.size(); ++i) {
      const size_t slot = events.slots[events.offsets[g] + i / d];
      result.merged[(g * w.group_size + slot) * d + i % d] = t.output[i];
    }
  }
  return result;
}

/// Adds to the gradients of the map; returns that of x.
inline Doubles linear_backward(const LinearParameters& w, const Doubles& x, const Doubles& d_y,
                               LinearParameters& gradient) {
  const size_t rows = x.size() / w.in;
  const LinearGradient g = linear_backward_weights(x, d_y, rows, w.in, w.out);
  add_to(gradient.weight, g.weight);
  add_to(gradient.bias, g.bias);
  return linear_backward_input(d_y, w.weight, rows, w.in, w.out);
}

inline Doubles norm_backward(const NormParameters& w, const Doubles& x, const Doubles& d_y,
                             NormParameters& gradient) {
  const LayerNormGradient g = layer_norm_backward(x, w.weight, d_y, x.size() / w.weight.size());
  add_to(gradient.weight, g.weight);
  add_to(gradient.bias, g.bias);
  return g.x;
}

/// Gradient of x through fc2 · gelu(fc1 · x); `hidden` is fc1 · x.
inline Doubles mlp_backward(const LinearParameters& fc1, const LinearParameters& fc2,
                            const Doubles& x, const Doubles& hidden, const Doubles& d_y,
                            LinearParameters& g1, LinearParameters& g2) {
  Doubles d_hidden = linear_backward(fc2, gelu(hidden), d_y, g2);
  for (size_t i = 0; i < d_hidden.size(); ++i) d_hidden[i] *= gelu_gradient(hidden[i]);
  return linear_backward(fc1, x, d_hidden, g1);
}

inline Doubles inner_block_backward(const InnerBlock& w, const InnerTrace& t,
                                    const Doubles& d_output, InnerBlock& g) {
  const size_t d = w.out.out;
  const size_t n = d_output.size() / d;
  Doubles d_middle = d_output;
  add_to(d_middle,
         norm_backward(w.ln2, t.middle,
                       mlp_backward(w.fc1, w.fc2, t.normed2, t.hidden, d_output, g.fc1, g.fc2),
                       g.ln2));
  const Doubles d_attended = linear_backward(w.out, t.attended, d_middle, g.out);
  const AttentionGradient a = attention_backward(t.attention, d_attended);
  Doubles d_qkv;
  for (size_t i = 0; i < n; ++i) {
    for (const Doubles* part : {&a.q, &a.k, &a.v}) {
      for (size_t c = 0; c < d; ++c) d_qkv.push_back((*part)[i * d + c]);
    }
  }
  Doubles d_input = d_middle;
  add_to(d_input,
         norm_backward(w.ln1, t.input, linear_backward(w.qkv, t.normed1, d_qkv, g.qkv), g.ln1));
  return d_input;
}

/// `weights` has the shape of the values, all 0 before sums; tables, position and time_bucket stay
/// 0: features and time hold what belongs to them.
struct EventEncoderGradient {
  EventEncoder weights;
  Doubles features, time, tokens;  // [events, X], [events, T], [events, d]
};

inline EventEncoder zeros_like(const EventEncoder& w) {
  EventEncoder zeros = w;
  std::vector<Doubles*> all = {&zeros.position, &zeros.time_bucket, &zeros.fc1.weight,
                               &zeros.fc1.bias, &zeros.fc2.weight,  &zeros.fc2.bias,
                               &zeros.slot};
  for (Doubles& table : zeros.tables) all.push_back(&table);
  for (InnerBlock& b : zeros.blocks) {
    for (LinearParameters* map : {&b.qkv, &b.out, &b.fc1, &b.fc2}) {
      all.insert(all.end(), {&map->weight, &map->bias});
    }
    for (NormParameters* norm : {&b.ln1, &b.ln2}) {
      all.insert(all.end(), {&norm->weight, &norm->bias});
    }
  }
  for (Doubles* values : all) values->assign(values->size(), 0.0);
  return zeros;
}

/// d_merged [groups, group_size · d]; what it holds at empty slots does not count.
inline EventEncoderGradient event_encoder_backward(const EventEncoder& w, const Events& events,
                                                   const Doubles& d_merged) {
  const size_t d = w.fc2.out;
  EventEncoderGradient g{zeros_like(w), {}, {}, {}};
  for (size_t group = 0; group + 1 < events.offsets.size(); ++group) {
    const size_t begin = events.offsets[group];
    const size_t n = events.offsets[group + 1] - begin;
    const GroupTrace t = encode_group(w, events, group);
    Doubles d_z(n * d);
    for (size_t i = 0; i < n * d; ++i) {
      d_z[i] = d_merged[(group * w.group_size + events.slots[begin + i / d]) * d + i % d];
    }
    for (size_t b = w.blocks.size(); b-- > 0;) {
      d_z = inner_block_backward(w.blocks[b], t.blocks[b], d_z, g.weights.blocks[b]);
    }
    if (!w.blocks.empty()) {
      for (size_t i = 0; i < n * d; ++i) {
        g.weights.slot[events.slots[begin + i / d] * d + i % d] += d_z[i];
      }
    }
    g.tokens.insert(g.tokens.end(), d_z.begin(), d_z.end());
    const Doubles d_input =
        mlp_backward(w.fc1, w.fc2, t.features, t.hidden, d_z, g.weights.fc1, g.weights.fc2);
    for (size_t i = 0; i < d_input.size(); ++i) {
      Doubles& part = i % w.fc1.in < w.feature_width() ? g.features : g.time;
      part.push_back(d_input[i]);
    }
  }
  return g;
}

}  // namespace longer::reference
