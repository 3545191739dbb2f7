// Compiled with RTTI, beside a program without it.
#include "program.hpp"

namespace bare {

namespace {
template <class T>
std::pair<std::string, const std::type_info*> named() {
  return {typeid(T).name(), &typeid(T)};
}
}  // namespace

const std::vector<std::pair<std::string, const std::type_info*>>& types_with_rtti() {
  static const auto& all = *new std::vector<std::pair<std::string, const std::type_info*>>{
      named<int>(),
      named<void>(),
      named<Note*>(),
      named<const Note*>(),
      named<Note>(),
      named<std::map<std::string, std::vector<Note>>>(),
      named<int(const std::string&, const std::string&)>(),
      named<int (Note::*)(int, Note*) const>(),
      named<Box<int() const>>(),
      named<moult::Update>(),
      named<std::vector<moult::ThreadId>>(),
      named<Colour>(),
      named<int[3]>(),
      named<char[]>(),
  };
  return all;
}

}  // namespace bare
