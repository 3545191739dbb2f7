#include "words.hpp"

#include <vector>

namespace {
const std::vector<std::string> others{"one that is too long for a short string", "another"};
const Words last("and a last one");
}  // namespace

const std::string& other_words() {
  static const Words joined(others[0] + ", " + others[1] + ", " + last.text);
  return joined.text;
}
