#include "note.hpp"

MOULT_UPDATABLE Note::Note() : number_(-1) {}
MOULT_UPDATABLE Note::Note(int number) : number_(number) {}
MOULT_UPDATABLE int Note::number() const { return number_; }
MOULT_UPDATABLE void Note::mark() {}
MOULT_UPDATABLE std::string Note::text() const { return std::to_string(number_); }

MOULT_UPDATABLE std::string copied(const Note& note) { return "copy of " + note.text(); }
