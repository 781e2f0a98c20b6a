#pragma once
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace fuzz {

/// Changes to a file that mostly leave it readable, so that they reach what lies behind the syntax:
/// plain bytes changed at random seldom do. One change each; libFuzzer's own among them.
class FileMutation {
 public:
  FileMutation(unsigned seed, size_t max_bytes) : random_(seed), max_bytes_(max_bytes) {}

  /// A number or string becomes another one, a member is left out or doubled.
  void change_json(std::string& text);
  /// The header changes as JSON does, with its length made right, or a word of the data.
  void change_safetensors(std::string& file);
  /// As libFuzzer does by itself.
  void change_bytes(std::string& bytes);

  /// Puts `content` where a LLVMFuzzerCustomMutator returns it; returns its size, at most
  /// `max_bytes`.
  size_t put(const std::string& content, uint8_t* data) const;

  /// 0 … count − 1.
  size_t draw(size_t count) { return static_cast<size_t>(random_() % count); }

 private:
  struct Span {
    size_t begin;
    size_t end;
  };
  static std::vector<Span> tokens(const std::string& text);
  std::string number(const std::string& text, const std::vector<Span>& numbers, Span old);
  void change_token(std::string& text);
  void change_member(std::string& text);
  void change_word(std::string& file, size_t begin);

  std::mt19937_64 random_;
  size_t max_bytes_;
};

}  // namespace fuzz
