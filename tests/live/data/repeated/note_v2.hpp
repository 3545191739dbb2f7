// The second version, which the update that makes it and the one that goes on from there both know.
#pragma once

#include "note.hpp"

class Note_v2 : public moult::Updatable<Note_v2, 96> {
 public:
  Note_v2() : number_(-2) {}  // moult compiles what stands in for it
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
