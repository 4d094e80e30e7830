"""Draw the training pictures into their folder: `python -m sandbox.training_pictures`."""

from sandbox.training_pictures import FOLDER, SETS, files


def main() -> None:
    for training_set in SETS:
        training_set.folder.mkdir(exist_ok=True)
        size = 0
        for name, content in files(training_set):
            (FOLDER / name).write_bytes(content)
            size += len(content)
        print(f"{training_set.key}: {len(training_set.drawings)} pictures, {size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
