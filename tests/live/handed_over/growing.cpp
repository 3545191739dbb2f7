// Notes get longer.
#include <moult/load.hpp>
#include <moult/manager.hpp>

#include "note.hpp"

class Note_v2 : public moult::Updatable<Note_v2> {
 public:
  explicit Note_v2(int number);
  int number() const;
  std::string text() const;

 private:
  int number_;
  std::string title_ = "a title that is longer than a string holds without memory";
};

MOULT_UPDATABLE Note_v2::Note_v2(int number) : number_(number) {}
MOULT_UPDATABLE int Note_v2::number() const { return number_; }
MOULT_UPDATABLE std::string Note_v2::text() const { return std::to_string(number_) + ", " + title_; }

MOULT_UPDATE {
  moult::threaded_manager("test").add_update(std::make_unique<moult::EagerConversionUpdate<Note, Note_v2>>(
      "growing", [](const Note& note) { return Note_v2(note.number()); },
      moult::ConversionOptions<Note, Note_v2>{.rebind = moult::Rebind::yes}));
}
