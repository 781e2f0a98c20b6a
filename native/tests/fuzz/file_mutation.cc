#include "fuzz/file_mutation.hpp"

#include <algorithm>
#include <array>
#include <cstring>

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace fuzz {
namespace {

constexpr size_t kLengthBytes = 8;  // of a safetensors header
constexpr std::array<const char*, 12> kNumbers = {
    "0",  "1",   "2", "3", "-1", "0.5", "1e300", "2147483647", "4294967296", "9223372036854775807",
    "16", "4096"};
constexpr std::array<int64_t, 10> kWords = {
    0, 1, 2, -1, INT32_MAX, INT64_MAX, INT64_MIN, int64_t{1} << 40, 0x7F800000, 0x3F800000};

bool is_number(char c) { return (c >= '0' && c <= '9') || c == '-'; }

}  // namespace

std::vector<FileMutation::Span> FileMutation::tokens(const std::string& text) {
  constexpr const char* kInNumber = "0123456789+-.eE";
  std::vector<Span> spans;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    if (text[i] == '"') {
      while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, text.size());
    } else if (is_number(text[i])) {
      end = std::min(text.find_first_not_of(kInNumber, i), text.size());
    }
    if (text[i] != ' ' && text[i] != '\n') spans.push_back({i, end});
    i = end;
  }
  return spans;
}

std::string FileMutation::number(const std::string& text, const std::vector<Span>& numbers,
                                 Span old) {
  switch (draw(3)) {
    case 0: {
      const Span other = numbers[draw(numbers.size())];
      return text.substr(other.begin, other.end - other.begin);
    }
    case 1: {
      const long long value =
          std::strtoll(text.substr(old.begin, old.end - old.begin).c_str(), nullptr, 10);
      constexpr std::array<int, 6> kSteps = {-8, -1, 1, 4, 8, 16};
      return std::to_string(static_cast<unsigned long long>(value) +
                            static_cast<unsigned long long>(kSteps[draw(kSteps.size())]));
    }
    default:
      return kNumbers[draw(kNumbers.size())];
  }
}

void FileMutation::change_token(std::string& text) {
  std::vector<Span> numbers;
  std::vector<Span> strings;
  for (const Span token : tokens(text)) {
    if (text[token.begin] == '"') strings.push_back(token);
    if (is_number(text[token.begin])) numbers.push_back(token);
  }
  if (!numbers.empty() && (strings.empty() || draw(2) == 0)) {
    const Span old = numbers[draw(numbers.size())];
    text.replace(old.begin, old.end - old.begin, number(text, numbers, old));
  } else if (!strings.empty()) {
    const Span old = strings[draw(strings.size())];
    const Span other = strings[draw(strings.size())];
    text.replace(old.begin, old.end - old.begin, text.substr(other.begin, other.end - other.begin));
  } else {
    change_bytes(text);
  }
}

/// A member is what lies between a comma and the next comma or the end of its array or object.
void FileMutation::change_member(std::string& text) {
  const std::vector<Span> all = tokens(text);
  std::vector<size_t> commas;
  for (size_t i = 0; i < all.size(); ++i) {
    if (text[all[i].begin] == ',') commas.push_back(i);
  }
  if (commas.empty()) return change_bytes(text);
  const size_t first = commas[draw(commas.size())];
  size_t last = first + 1;
  for (int depth = 0; last < all.size(); ++last) {
    const char c = text[all[last].begin];
    if (depth == 0 && (c == ',' || c == ']' || c == '}')) break;
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
  }
  const size_t begin = all[first].begin;
  const size_t end = last < all.size() ? all[last].begin : text.size();
  if (draw(2) == 0) {
    text.erase(begin, end - begin);
  } else {
    const size_t other = all[commas[draw(commas.size())]].begin;
    text.insert(other, text.substr(begin, end - begin));
  }
}

void FileMutation::change_json(std::string& text) {
  const size_t kind = draw(8);
  if (kind < 4) {
    change_token(text);
  } else if (kind < 6) {
    change_member(text);
  } else {
    change_bytes(text);
  }
}

void FileMutation::change_word(std::string& file, size_t begin) {
  const size_t bytes = draw(4) == 0 ? 4 : 8;
  const size_t words = (file.size() - begin) / bytes;
  if (words == 0) return change_bytes(file);
  char* word = file.data() + begin + draw(words) * bytes;
  if (draw(2) == 0) {
    std::memcpy(word, &kWords[draw(kWords.size())], bytes);
  } else {
    int64_t value = 0;
    std::memcpy(&value, file.data() + begin + draw(words) * bytes, bytes);
    value = static_cast<int64_t>(static_cast<uint64_t>(value) + draw(3) - 1);
    std::memcpy(word, &value, bytes);
  }
}

void FileMutation::change_safetensors(std::string& file) {
  uint64_t length = 0;
  if (file.size() >= kLengthBytes) std::memcpy(&length, file.data(), kLengthBytes);
  const size_t kind = draw(8);
  if (file.size() < kLengthBytes || length > file.size() - kLengthBytes || kind == 0) {
    return change_bytes(file);
  }
  if (kind < 5) return change_word(file, kLengthBytes + length);
  std::string header = file.substr(kLengthBytes, length);
  change_json(header);
  // The data stays aligned.
  header.erase(header.find_last_not_of(' ') + 1);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  const uint64_t new_length = header.size();
  file.replace(kLengthBytes, length, header);
  std::memcpy(file.data(), &new_length, kLengthBytes);
}

void FileMutation::change_bytes(std::string& bytes) {
  const size_t size = std::min(bytes.size(), max_bytes_);
  bytes.resize(max_bytes_);
  bytes.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t*>(bytes.data()), size, max_bytes_));
}

size_t FileMutation::put(const std::string& content, uint8_t* data) const {
  const size_t size = std::min(content.size(), max_bytes_);
  std::memcpy(data, content.data(), size);
  return size;
}

}  // namespace fuzz
