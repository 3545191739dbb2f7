// Marked notes have a title, which owns memory. In several editions: LARGE does not fit; WITHOUT_RESERVE is for a
// second version without one.
#include <moult/load.hpp>
#include <moult/manager.hpp>

#include "note_v2.hpp"

class Note_v3 : public moult::Updatable<Note_v3> {
 public:
  Note_v3() : number_(-3) {}
  explicit Note_v3(int number);
  Note_v3(int number, int times);
  int number() const;
  void mark();
  std::string text() const;

 private:
  int number_;
  int times_ = 0;
#ifdef LARGE
  char more_[80] = {};
#endif
  std::string title_ = "a title that is longer than a string holds without memory";
};

MOULT_UPDATABLE Note_v3::Note_v3(int number) : number_(number) {}
Note_v3::Note_v3(int number, int times) : number_(number), times_(times) {}
MOULT_UPDATABLE int Note_v3::number() const { return number_; }
MOULT_UPDATABLE void Note_v3::mark() { ++times_; }
MOULT_UPDATABLE std::string Note_v3::text() const {
  return std::to_string(number_) + ", marked " + std::to_string(times_) + ", " + title_;
}

namespace {

std::unique_ptr<moult::Update> make() {
  return std::make_unique<moult::EagerConversionUpdate<Note_v2, Note_v3>>(
      "third", [](const Note_v2& note) { return Note_v3(note.number_, note.times_); },
      moult::ConversionOptions<Note_v2, Note_v3>{.rebind = moult::Rebind::yes});
}

}  // namespace

MOULT_UPDATE { moult::fetch_manager("test")->add_update(make()); }
