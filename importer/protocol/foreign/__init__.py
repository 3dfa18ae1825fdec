"""What others wrote: text is shown so that it has no power, arguments are checked before they are used."""
