"""The entry point of `marketfinder`. Probes ask for health every few seconds: it loads nothing that
only other commands need, which takes a tenth of the time."""

import sys


def main() -> None:
    """Runs the command."""
    if sys.argv[1:2] == ["health"]:
        _health()
    else:
        from ingestion.cli import main as run_command

        run_command()


def _health() -> None:
    import typer

    from ingestion.errors import MarketFinderError
    from ingestion.health import health_command

    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(health_command)
    try:
        app(sys.argv[2:], prog_name="marketfinder health")
    except MarketFinderError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
