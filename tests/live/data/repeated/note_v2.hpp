// The second version of the class, for the update that makes it and for the one after.
#pragma once

#include "note.hpp"

#ifdef WITHOUT_RESERVE
class Note_v2 : public moult::Updatable<Note_v2> {
#else
class Note_v2 : public moult::Updatable<Note_v2, 96> {
#endif
 public:
  Note_v2() : number_(-2) {}  // moult compiles its replacement
  explicit Note_v2(int number);
  int number() const;
  void mark();
  std::string text() const;

  // Named as in the first version, by whose names fields are matched; public for the third.
  // NOLINTBEGIN(readability-identifier-naming)
  int number_;
  int times_ = 0;
  // NOLINTEND(readability-identifier-naming)
};
