#include "document.hpp"

MOULT_UPDATABLE Document::Document(int number) : number_(number) {}
MOULT_UPDATABLE Document::~Document() { number_ = -1; }
MOULT_UPDATABLE std::string Document::title() const { return "document " + std::to_string(number_); }
MOULT_UPDATABLE int Document::number() const { return number_; }
